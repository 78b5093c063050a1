# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Role images, with a stand-in for the module that builds and pushes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support import CHECKOUT
from support.role_runs import NO_DIGEST, Run, Runner, digest, image_variables


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Any]:
    """Return where the images go and where Dicoogle's release is."""
    return image_variables(tmp_path)


@pytest.fixture
def plugin(tmp_path: Path) -> dict[str, Any]:
    """Return a plugin with everything that one can have."""
    jar, settings = tmp_path / "web" / "dicomweb-1.0.jar", tmp_path / "dicomweb.xml"
    jar.parent.mkdir()
    jar.write_text("jar")
    settings.write_text("settings")
    return {
        "url": jar.as_uri(),
        "sha256": digest("jar"),
        "settings": str(settings),
        "paths": ["/dicomweb", "/ext/report"],
    }


def context(run: Run) -> Path:
    """Return the folder that the image `dicoogle` was built from."""
    return Path(run.published["dicoogle"].replace(":", "/"))


def test_a_plugin_becomes_part_of_the_image_and_its_paths_are_published(
    runner: Runner, variables: dict[str, Any], plugin: dict[str, Any]
) -> None:
    run = runner("images", {**variables, "images_dicoogle_plugins": [plugin]})
    assert not run.failed, run.output
    plugins = context(run) / "plugins"
    assert (plugins / "dicomweb-1.0.jar").read_text() == "jar"
    assert (plugins / "settings" / "dicomweb.xml").read_text() == "settings"
    assert (context(run) / "dicoogle.zip").read_text() == "release"
    assert run.published["plugin_paths"] == ["/dicomweb", "/ext/report"]


def test_a_plugin_on_this_machine_is_taken_from_there(
    runner: Runner, variables: dict[str, Any], plugin: dict[str, Any], tmp_path: Path
) -> None:
    here = {"path": str(tmp_path / "web" / "dicomweb-1.0.jar"), "sha256": plugin["sha256"]}
    run = runner("images", {**variables, "images_dicoogle_plugins": [here]})
    assert not run.failed, run.output
    assert (context(run) / "plugins" / "dicomweb-1.0.jar").read_text() == "jar"
    assert not (tmp_path / "local" / "plugins").exists()


def test_nothing_is_downloaded_or_built_twice(
    runner: Runner, variables: dict[str, Any], plugin: dict[str, Any], tmp_path: Path
) -> None:
    with_plugin = {**variables, "images_dicoogle_plugins": [plugin]}
    first = runner("images", with_plugin)
    (tmp_path / "web" / "dicomweb-1.0.jar").unlink()
    (tmp_path / "local" / "plugins" / "dicomweb-1.0.jar").unlink()
    second = runner("images", with_plugin)
    assert not second.failed, second.output
    assert second.changed == 0
    assert second.published == first.published


def test_a_digest_may_be_pasted_in_capitals(runner: Runner, variables: dict[str, Any]) -> None:
    pasted = variables["images_dicoogle_sha256"].upper() + "\n"
    first = runner("images", variables)
    second = runner("images", {**variables, "images_dicoogle_sha256": pasted})
    assert not second.failed, second.output
    assert second.published == first.published
    assert second.changed == 0


@pytest.mark.parametrize("changed", ["settings", "jar"])
def test_other_settings_or_another_jar_make_another_image(
    runner: Runner, variables: dict[str, Any], plugin: dict[str, Any], tmp_path: Path, changed: str
) -> None:
    first = runner("images", {**variables, "images_dicoogle_plugins": [plugin]})
    file = {"settings": "dicomweb.xml", "jar": "web/dicomweb-1.0.jar"}[changed]
    (tmp_path / file).write_text("other")
    if changed == "jar":
        plugin["sha256"] = digest("other")
    second = runner("images", {**variables, "images_dicoogle_plugins": [plugin]})
    assert not second.failed, second.output
    assert second.published["dicoogle"] != first.published["dicoogle"]
    assert second.published["nginx"] == first.published["nginx"]


@pytest.mark.parametrize("source", ["url", "path"])
def test_a_jar_with_another_digest_stops_the_run(
    runner: Runner, variables: dict[str, Any], plugin: dict[str, Any], tmp_path: Path, source: str
) -> None:
    plugin |= {"sha256": NO_DIGEST}
    if source == "path":
        del plugin["url"]
        plugin["path"] = str(tmp_path / "web" / "dicomweb-1.0.jar")
    run = runner("images", {**variables, "images_dicoogle_plugins": [plugin]})
    assert run.failed
    assert NO_DIGEST in run.output
    assert digest("jar") in run.output


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"sha256": None}, "missing required arguments: sha256"),
        ({"settings": "/nowhere/dicomweb.xml"}, "there is no file /nowhere/dicomweb.xml"),
    ],
)
def test_a_plugin_that_cannot_work_is_refused_before_anything_is_built(
    runner: Runner,
    variables: dict[str, Any],
    plugin: dict[str, Any],
    tmp_path: Path,
    wrong: dict[str, Any],
    reason: str,
) -> None:
    plugin = {name: value for name, value in (plugin | wrong).items() if value is not None}
    run = runner("images", {**variables, "images_dicoogle_plugins": [plugin]})
    assert run.failed
    assert reason in run.prose
    assert not (tmp_path / "dicoogle").exists()


def test_an_unknown_version_is_refused_and_the_known_ones_are_named(
    runner: Runner, variables: dict[str, Any], tmp_path: Path
) -> None:
    known = (CHECKOUT / "docker/dicoogle/versions.txt").read_text().splitlines()
    run = runner("images", {**variables, "images_dicoogle_version": "3.5"})
    assert run.failed
    assert f"Known are {', '.join(line.split()[0] for line in known)}." in run.prose
    assert not (tmp_path / "dicoogle").exists()


def test_every_known_version_is_built_and_without_plugins_no_path_is_opened(
    runner: Runner, variables: dict[str, Any]
) -> None:
    for line in (CHECKOUT / "docker/dicoogle/versions.txt").read_text().splitlines():
        run = runner("images", {**variables, "images_dicoogle_version": line.split()[0]})
        assert not run.failed, run.output
        assert run.published["plugin_paths"] == []
