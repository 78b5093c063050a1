# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A sender wants to write a file where no image belongs: Dicoogle takes its values for a path."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from support.running_archive import PROCESSING_FAILURE, RunningArchive
from support.sample_images import new_image

UP = "../../../../../.."


def files(archive: RunningArchive) -> set[Path]:
    """Return all files and folders of the archive but its index, journal and working files."""
    roots = (archive.data, archive.home, archive.root / "tmp")
    return {
        Path(folder, name)
        for root in roots
        for folder, folders, names in os.walk(root)
        for name in [*folders, *names]
        if not Path(folder, name).is_relative_to(archive.data / "index")
    }


@pytest.mark.parametrize(
    "values",
    [
        {"AccessionNumber": f"{UP}/escaped"},
        {"AccessionNumber": ".."},
        {"AccessionNumber": "A/../../../../../escaped"},
        {"AccessionNumber": f"A\n/{UP}/escaped"},
        {"Modality": UP},
        {"StudyDate": "../../.."},
        {"AccessionNumber": "", "StudyInstanceUID": f"{UP}/escaped"},
        {"SOPInstanceUID": f"{UP}/escaped"},
    ],
    ids=repr,
)
def test_write_outside_the_images(archive: RunningArchive, values: dict[str, Any]) -> None:
    before = files(archive)
    image = new_image(**values)
    assert archive.store(image) == [PROCESSING_FAILURE]
    assert files(archive) == before


@pytest.mark.parametrize(
    "values", [{"AccessionNumber": "A..B...C/.D"}, {"InstitutionName": "A/. ./../. ./x"}], ids=repr
)
def test_dots_that_lead_nowhere_harm_nobody(
    archive: RunningArchive, values: dict[str, Any]
) -> None:
    image = new_image(**values)
    assert archive.store(image) == [0]
    assert archive.found(image)
