# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A role does the same on other people's machines, with other settings of Ansible."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.role_runs import image_variables, runner_in

MODULES = Path(__file__).parent / "modules"
SETTINGS = {
    "no home": {"HOME": None, "USER": None},
    "strategy free": {"ANSIBLE_STRATEGY": "free"},
    "results as JSON": {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"},
    "a proxy that is not there": {"http_proxy": "http://127.0.0.1:1", "NO_PROXY": None},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a blank in its name."""
    made = tmp_path / "Mein Archiv"
    made.mkdir()
    return made


def check_images(folder: Path, prefix: tuple[str, ...] = ()) -> None:
    """Build the images in a folder, twice."""
    run = runner_in(folder, MODULES, prefix)
    first = run("images", image_variables(folder))
    assert not first.failed, first.output
    assert (folder / "local" / "Dicoogle_v3.5.1.zip").read_text() == "release"
    second = run("images", image_variables(folder))
    assert not second.failed, second.output
    assert second.changed == 0


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_other_settings_change_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str | None]
) -> None:
    for name, value in settings.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    check_images(folder)


def test_files_may_be_hidden_from_everybody_else(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        check_images(folder)
    finally:
        os.umask(before)


def test_no_power_of_root_is_needed(folder: Path) -> None:
    powerless = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
    check_images(folder, powerless if os.geteuid() == 0 else ())
