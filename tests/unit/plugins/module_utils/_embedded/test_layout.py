# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The files of an embedded AWS."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import (
    Layout,
    Record,
    source_digest,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "server.json"
    assert Record.read(file) is None
    Record(port=4000, digest="abc").write(file)
    assert Record.read(file) == Record(port=4000, digest="abc")
    assert [f.name for f in tmp_path.iterdir()] == ["server.json"]


def test_called_means_not_empty_until_cleared(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path)
    assert layout.is_empty()
    layout.data.mkdir()
    layout.access_log.write_text("")
    assert layout.is_empty()
    layout.access_log.write_text("{}\n")
    assert not layout.is_empty()
    layout.clear()
    assert layout.is_empty()


def test_its_folder_is_closed_to_others(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    Layout.at(tmp_path).make_private()
    assert tmp_path.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_s_holds_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = tmp_path.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(ModuleError, match="belongs to another user"):
        Layout.at(tmp_path).make_private()


def test_digest_follows_programs_and_requirements_only(tmp_path: Path) -> None:
    package = tmp_path / "openpacs_embedded"
    package.mkdir()
    (tmp_path / "requirements.txt").write_text("a==1")
    (package / "a.py").write_text("A = 1")
    first = source_digest(tmp_path)
    (package / "notes.md").write_text("no program")
    assert source_digest(tmp_path) == first
    (package / "a.py").rename(package / "b.py")
    renamed = source_digest(tmp_path)
    (tmp_path / "requirements.txt").write_text("a==2")
    assert len({first, renamed, source_digest(tmp_path)}) == 3
