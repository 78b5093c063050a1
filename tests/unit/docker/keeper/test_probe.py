# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether the disk can be written, also when it does not answer at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from keeper import probe


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    assert probe.problem([tmp_path]) is None
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    assert probe.problem([tmp_path, tmp_path / "gone"]) == (
        f"{tmp_path}/gone cannot be written: No such file or directory"
    )


def test_a_disk_without_room_is_named_and_left_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert probe.problem([tmp_path]) == f"{tmp_path} cannot be written: No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_never_answers_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hung = os.pipe()
    monkeypatch.setattr(probe, "SECONDS", 0.2)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: os.read(hung[0], 1))
    assert "takes more than 0.2 s" in str(probe.problem([tmp_path]))
    os.write(hung[1], b"x")


def test_leftovers_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".write-probe-77").write_text("")
    (tmp_path / "image.dcm").write_text("")
    probe.remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["image.dcm"]
