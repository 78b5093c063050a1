# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the final answers of a C-MOVE mean; those of Dicoogle 3.5 as it was seen to give them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import DicomError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.move import (
    Counts,
    check,
    read,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import Peer
from pydicom import Dataset

Judge = Callable[..., Counts]


def answer(status: int, comment: str = "", **counts: Any) -> tuple[Dataset, Dataset | None]:
    response = Dataset()
    response.Status = status
    if comment:
        response.ErrorComment = comment
    for name, count in counts.items():
        setattr(response, f"NumberOf{name}Suboperations", count)
    return response, None


@pytest.fixture
def judged(make_peer: Callable[..., Peer]) -> Judge:
    """Return judged(answers), the counts of a C-MOVE that has not failed."""

    def judge(*answers: Any) -> Counts:
        outcome = read(list(answers))
        assert outcome
        check(make_peer(104), "TARGET", outcome)
        return outcome.counts

    return judge


@pytest.fixture
def failure(judged: Judge) -> Callable[..., dict[str, Any]]:
    """Return failure(answers), the result of a module that fails for them."""

    def judge_failure(*answers: Any) -> dict[str, Any]:
        with pytest.raises(DicomError) as caught:
            judged(*answers)
        return caught.value.result()

    return judge_failure


def test_all_have_arrived(judged: Judge) -> None:
    counts = judged(answer(0x0000, Completed=5))
    assert (counts.matched, counts.completed, counts.not_moved) == (5, 5, 0)


def test_success_without_any_count_has_matched_nothing(judged: Judge) -> None:
    counts = judged(answer(0x0000))
    assert (counts.matched, counts.completed, counts.not_moved) == (0, 0, 0)


def test_a_peer_that_reports_progress_but_no_final_counts_has_matched_something(
    judged: Judge,
) -> None:
    counts = judged(answer(0xFF00, Remaining=1, Completed=1), answer(0x0000))
    assert (counts.matched, counts.not_moved) == (None, None)


@pytest.mark.parametrize(("completed", "remaining"), [(4, 1), (0, 5)])
def test_success_with_images_remaining_is_none(
    failure: Callable[..., dict[str, Any]], completed: int, remaining: int
) -> None:
    result = failure(answer(0x0000, Completed=completed, Remaining=remaining))
    assert result["reason"] == "suboperations"
    assert result["matched"] == 5
    assert (result["completed"], result["not_moved"]) == (completed, remaining)
    assert f"{remaining} of 5 images did not arrive at TARGET" in result["msg"]
    assert result["status"] == "0x0000"


def test_failed_and_remaining_images_have_both_not_arrived(
    failure: Callable[..., dict[str, Any]],
) -> None:
    result = failure(answer(0xFE00, Completed=1, Failed=2, Remaining=3))
    assert (result["matched"], result["not_moved"], result["remaining"]) == (6, 5, 3)
    assert "5 of 6 images" in result["msg"]


def test_a_destination_that_aborts(failure: Callable[..., dict[str, Any]]) -> None:
    result = failure(answer(0xC110, "DICOM file transmission failed", Completed=2, Remaining=3))
    assert (result["reason"], result["not_moved"]) == ("suboperations", 3)
    assert "DICOM file transmission failed" in result["msg"]


def test_dicoogle_does_not_tell_an_unknown_destination_from_one_that_is_down(
    failure: Callable[..., dict[str, Any]],
) -> None:
    result = failure(answer(0xC110, "Connection refused (Connection refused)"))
    assert result["reason"] == "destination_failed"
    assert "Connection refused (Connection refused)" in result["msg"]
    assert "move destinations" in result["msg"]
    assert "that something listens there" in result["msg"]


def test_a_destination_that_rejects_the_title(failure: Callable[..., dict[str, Any]]) -> None:
    said = "A-ASSOCIATE-RJ[result=1, source=1, reason=7]: permanent called-AE-title-not-recognized"
    result = failure(answer(0xC110, said))
    assert result["reason"] == "destination_failed"
    assert "what listens there is called TARGET" in result["msg"]
    assert "move destinations" not in result["msg"]


def test_a_peer_that_says_that_the_destination_is_unknown(
    failure: Callable[..., dict[str, Any]],
) -> None:
    assert failure(answer(0xA801))["reason"] == "unknown_destination"


def test_another_failure(failure: Callable[..., dict[str, Any]]) -> None:
    result = failure(answer(0xA702, "out of memory"))
    assert (result["reason"], result["status"]) == ("status", "0xA702")
    assert "out of memory" in result["msg"]


def test_several_comments_are_told_in_one_text(failure: Callable[..., dict[str, Any]]) -> None:
    result = failure(answer(0xA900, "disk \\\\nas\\images is full"))
    assert result["reason"] == "status"
    assert "\\images is full" in result["msg"]


@pytest.mark.parametrize("count", [[1, 2], [], None, ""])
def test_a_count_that_is_no_number_is_none(judged: Judge, count: Any) -> None:
    counts = judged(answer(0x0000, Completed=3, Warning=count))
    assert (counts.matched, counts.warning) == (3, None)
