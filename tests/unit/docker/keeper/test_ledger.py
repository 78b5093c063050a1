# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which images are stored and not findable, as events tell it."""

from __future__ import annotations

from pathlib import Path

import pytest
from keeper.journal import Assigned, Committed, Completed, IndexFailed, Read, Unindexed
from keeper.ledger import SAMPLE, Ledger

PATH = "/data/images/CT/1.2.3.dcm"


def ledger(*events: object) -> Ledger:
    made = Ledger()
    for event in events:
        made.apply(event)  # type: ignore[arg-type]
    return made


def indexed(path: str, task: str = "7") -> tuple[Read, Committed, Completed]:
    return Read(task, 1, path), Committed(task, 1, 0), Completed(path)


def test_an_image_is_missing_from_when_it_is_stored() -> None:
    made = ledger(Assigned(100.0, PATH))
    assert (made.waiting, made.oldest(130.0)) == ([PATH], 30.0)


def test_an_image_that_was_committed_is_not_missing() -> None:
    assert ledger(Assigned(100.0, PATH), *indexed(PATH)).missing == {}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([Completed(PATH)], id="neither read nor committed"),
        pytest.param([Read("7", 1, PATH), Completed(PATH)], id="read, and the commit not seen"),
        pytest.param(
            [Read("7", 1, PATH), Committed("7", 1, 1), Completed(PATH)], id="the commit failed"
        ),
        pytest.param(
            [Read("7", 1, PATH), Committed("7", 0, 0), Completed(PATH)], id="passed over as known"
        ),
    ],
)
def test_what_dicoogle_has_done_with_is_not_taken_for_indexed(events: list[object]) -> None:
    assert ledger(Assigned(100.0, PATH), *events).doubtful == [PATH]


def test_a_read_file_is_not_indexed_before_its_task_has_ended() -> None:
    assert ledger(Assigned(100.0, PATH), Read("7", 1, PATH)).waiting == [PATH]


def test_an_image_that_is_stored_again_is_missing_again() -> None:
    made = ledger(Assigned(100.0, PATH), *indexed(PATH), Assigned(200.0, PATH))
    assert made.oldest(210.0) == 10.0


def test_a_task_of_many_files_settles_each() -> None:
    other = "/data/images/CT/1.2.4.dcm"
    made = ledger(
        Assigned(1.0, PATH),
        Assigned(1.0, other),
        Read("7", 1, PATH),
        Read("7", 2, "/data/images/CT/known.dcm"),
        Read("7", 3, other),
        Committed("7", 3, 0),
    )
    assert made.missing == {}


def test_a_task_that_passed_over_some_files_settles_none() -> None:
    made = ledger(Assigned(1.0, PATH), Read("7", 1, PATH), Read("7", 2, "x"), Committed("7", 1, 0))
    assert made.waiting == [PATH]


def test_an_image_that_will_never_be_findable_is_not_missing_and_stays_listed(
    tmp_path: Path,
) -> None:
    made = ledger(Assigned(1.0, PATH))
    made.give_up(PATH, "1.2.3", "it has no Modality")
    made.save(tmp_path / "state.json")
    again = Ledger.load(tmp_path / "state.json")
    assert again.missing == {}
    assert again.never_findable[PATH].reason == "it has no Modality"


def test_what_is_missing_outlives_the_task(tmp_path: Path) -> None:
    made = ledger(Assigned(5.0, PATH), *indexed("/data/images/other.dcm"))
    made.expect("/data/images/froms3/a", 6.0, named_after_uid=False)
    made.imported_until = 6.5
    made.save(tmp_path / "state.json")
    again = Ledger.load(tmp_path / "state.json")
    assert again.waiting == [PATH, "/data/images/froms3/a"]
    assert (again.oldest(10.0), again.imported_until) == (5.0, 6.5)
    assert [each.name for each in tmp_path.iterdir()] == ["state.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"missing": {"a": 1}}', '{"other": 1}'])
def test_a_damaged_state_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(ValueError, match=r"state\.json|Expecting"):
        Ledger.load(tmp_path / "state.json")


class TestSample:
    def test_it_holds_old_and_new_images(self) -> None:
        made = Ledger()
        for number in range(100):
            path = f"/data/images/1.2.{number}.dcm"
            for event in (Assigned(1.0, path), *indexed(path)):
                made.apply(event)
        assert len(made.sample) == SAMPLE
        assert next(iter(made.sample.values())) == "1.2.0"
        assert list(made.sample.values())[-1] == "1.2.99"

    def test_imported_files_are_not_named_after_their_uid(self) -> None:
        made = Ledger()
        made.expect("/data/images/froms3/IM1", 1.0, named_after_uid=False)
        made.settle("/data/images/froms3/IM1")
        assert made.sample == {}

    @pytest.mark.parametrize("taken", [PATH, "/data/images/CT", "/data/images/CT/"])
    def test_it_forgets_what_was_taken_out_of_the_index(self, taken: str) -> None:
        made = ledger(Assigned(1.0, PATH), *indexed(PATH), Unindexed(taken))
        assert made.sample == {}
        assert made.sample_is_sure

    def test_a_folder_whose_name_only_begins_alike_stays(self) -> None:
        made = ledger(Assigned(1.0, PATH), *indexed(PATH), Unindexed("/data/images/C"))
        assert made.sample == {PATH: "1.2.3"}

    def test_it_is_not_sure_when_dicoogle_does_not_say_what_was_taken_out(self) -> None:
        made = ledger(Assigned(1.0, PATH), *indexed(PATH), Unindexed(None))
        assert not made.sample_is_sure


def test_an_index_that_cannot_be_opened_is_noted() -> None:
    assert ledger(IndexFailed()).index_failed
