# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is handed to Dicoogle to have a folder indexed again."""

from __future__ import annotations

from pathlib import Path

from keeper.dicoogle import Tasks
from keeper.reindex import AT_ONCE, Reindex, units


def make_files(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")


def found(root: Path) -> list[str]:
    return [str(Path(unit).relative_to(root)) for unit in units(str(root)) if unit]


def test_folders_without_folders_the_newest_first(tmp_path: Path) -> None:
    make_files(tmp_path, "H/CT/2024/01/06/S1/a", "H/CT/2024/01/06/S1/b", "H/CT/2025/02/01/S2/c")
    assert found(tmp_path) == ["H/CT/2025/02/01/S2", "H/CT/2024/01/06/S1"]


def test_files_beside_folders_are_named_one_by_one(tmp_path: Path) -> None:
    make_files(tmp_path, "a", "b", "sub/c")
    assert found(tmp_path) == ["b", "a", "sub"]


def test_an_empty_folder_is_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert found(tmp_path) == []


class Dicoogle:
    """Ends each task when it is asked for the third time, with one image and no error."""

    def __init__(self) -> None:
        self.asked: dict[str, int] = {}

    def index(self, paths: list[str]) -> list[str]:
        self.asked |= dict.fromkeys(paths, 0)
        return paths

    def tasks(self) -> Tasks:
        for path in self.asked:
            self.asked[path] += 1
        ended = {path: (1, 0) for path, times in self.asked.items() if times >= 3}
        return Tasks(len(self.asked) - len(ended), set(self.asked), ended)


def test_it_counts_until_all_is_done(tmp_path: Path) -> None:
    make_files(tmp_path, *(f"{number:02}/a" for number in range(3 * AT_ONCE)))
    dicoogle = Dicoogle()
    reindex = Reindex(str(tmp_path), dicoogle)  # type: ignore[arg-type]
    reports = []
    while not reindex.done:
        reindex.step(float("inf"))
        reports.append(reindex.report())
        assert len(dicoogle.asked) - reports[-1]["folders_done"] <= AT_ONCE
    assert reports[-1]["indexed"] == reports[-1]["folders_done"] == 3 * AT_ONCE
    assert (reports[0]["state"], reports[-1]["state"]) == ("running", "done")
    assert reports[-1]["errors"] == 0


def test_a_task_that_dicoogle_has_forgotten_has_ended(tmp_path: Path) -> None:
    make_files(tmp_path, "a")
    dicoogle = Dicoogle()
    reindex = Reindex(str(tmp_path), dicoogle)  # type: ignore[arg-type]
    reindex.step(float("inf"))
    dicoogle.asked.clear()
    reindex.step(float("inf"))
    assert reindex.done


def test_a_folder_without_images_is_done_at_once(tmp_path: Path) -> None:
    reindex = Reindex(str(tmp_path), Dicoogle())  # type: ignore[arg-type]
    reindex.step(float("inf"))
    assert reindex.done
