# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import io
import os
import zipfile
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.zip import (
    zip_folder,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "function"
    (folder / "lib").mkdir(parents=True)
    (folder / "index.py").write_text("def handler(event, context): ...\n")
    (folder / "lib" / "util.py").write_text("X = 1\n")
    return folder


def test_holds_every_file_by_its_relative_name(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zip_folder(folder)))
    assert archive.namelist() == ["index.py", "lib/util.py"]
    assert archive.read("lib/util.py") == b"X = 1\n"
    assert archive.testzip() is None


def test_lambda_user_may_read_the_files(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zip_folder(folder)))
    assert {oct(entry.external_attr >> 16) for entry in archive.infolist()} == {"0o100644"}


def test_bytes_are_known_in_advance(folder: Path) -> None:
    assert hashlib.sha256(zip_folder(folder)).hexdigest() == (
        "6fc0c3243f78d83efef3db54860970b1b632b4514619c7a37696c07a77506a16"
    )


def test_times_modes_and_byte_code_do_not_matter(folder: Path) -> None:
    before = zip_folder(folder)
    os.utime(folder / "index.py", (0, 0))
    (folder / "index.py").chmod(0o700)
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "index.cpython-311.pyc").write_bytes(b"\0")
    assert zip_folder(folder) == before


def test_name_matters(folder: Path) -> None:
    before = zip_folder(folder)
    (folder / "index.py").rename(folder / "main.py")
    assert zip_folder(folder) != before


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModuleError, match="holds no file"):
        zip_folder(tmp_path)


def test_symbolic_link_is_refused(folder: Path) -> None:
    (folder / "link.py").symlink_to(folder / "index.py")
    with pytest.raises(ModuleError, match=r"link\.py is a symbolic link"):
        zip_folder(folder)
