# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pages of the site lead nowhere wrong and name nothing that does not exist."""

from __future__ import annotations

import importlib
import os
import re
from html import unescape
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from markdown_it import MarkdownIt
from support import CHECKOUT
from support.cloudformation_templates import ROOT

PLAYBOOKS = sorted(CHECKOUT.glob("playbooks/*.yml"))
PROOFS = yaml.safe_load((CHECKOUT / "docs/proofs.yml").read_text())
ROWS = [*PROOFS["behaviour"], *PROOFS["playbooks"].values()]


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(CHECKOUT / "docs")
        return importlib.import_module("pages")


@pytest.fixture(scope="module")
def site(pages: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("site")
    pages.write_site(folder)
    return folder


def test_every_link_leads_to_a_page(pages: ModuleType, site: Path) -> None:
    broken = [
        f"{page.relative_to(site)} -> {found[1]}"
        for page in site.rglob("*.md")
        for found in pages.LINK.finditer(page.read_text())
        if "collection/" not in found[1]  # written by antsibull-docs, checked by Sphinx
        and not (page.parent / found[1]).exists()
    ]
    assert broken == []


def test_files_of_the_repository_are_linked_where_github_shows_them(site: Path) -> None:
    text = (site / "security.md").read_text()
    assert "https://github.com/openpacs/dicoogle/blob/main/docker/waivers.yml" in text
    assert "(lost-laptop.md)" in text


def test_a_link_to_nothing_stops_the_build(pages: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"README\.md links to gone\.txt, which does not exist"):
        pages.place_in_site("README.md", "index.md", "gone.txt", {})


@pytest.mark.parametrize("name", ["CONTRIBUTING.md", "SECURITY.md"])
def test_every_link_works_on_github(pages: ModuleType, name: str) -> None:
    for found in pages.LINK.finditer((CHECKOUT / name).read_text()):
        assert (CHECKOUT / found[1]).exists(), found[1]


def test_every_link_of_the_readme_works_on_galaxy_too(pages: ModuleType) -> None:
    text = (CHECKOUT / "README.md").read_text()
    assert not pages.LINK.search(text), "Galaxy knows no other file of the repository"
    linked = re.findall(rf"{pages.GITHUB}/(?:blob|tree)/main/([^)\s]+)", text)
    assert linked
    assert [path for path in linked if not (CHECKOUT / path).exists()] == []


def test_parameters_and_outputs_that_pages_name_exist() -> None:
    known = ROOT["Parameters"].keys() | ROOT["Outputs"].keys()
    for page in (CHECKOUT / "docs").glob("*.md"):
        named = set(re.findall(r"`([A-Z][a-z]+(?:[A-Z][a-z]+)+)`", page.read_text()))
        assert named <= known, page.name


def test_files_that_pages_name_exist() -> None:
    for page in (CHECKOUT / "docs").glob("*.md"):
        named = re.findall(
            r"`((?:cert|docker|docs|playbooks|plugins|roles|tests)/[^` ]*)", page.read_text()
        )
        assert [path for path in named if not (CHECKOUT / path).exists()] == [], page.name


def test_every_parameter_and_output_is_on_the_page(site: Path) -> None:
    text = (site / "parameters.md").read_text()
    for name in (*ROOT["Parameters"], *ROOT["Outputs"]):
        assert f"| `{name}` |" in text


def test_descriptions_are_shown_as_they_are_written(site: Path) -> None:
    page = MarkdownIt().enable("table").render((site / "parameters.md").read_text())
    shown = unescape(re.sub("<[^>]*>", "", page))
    for described in (*ROOT["Parameters"].values(), *ROOT["Outputs"].values()):
        assert described["Description"].strip() in shown


class TestProofs:
    def test_every_playbook_has_its_row(self) -> None:
        assert PROOFS["playbooks"].keys() == {path.stem for path in PLAYBOOKS}

    @pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row.get("what", row)))
    def test_tests_that_are_named_exist(self, row: dict[str, Any]) -> None:
        named = re.findall(r"tests/[\w/]+(?:\.py|\.sh)?", row.get("tests", row.get("instead")))
        assert named
        for path in named:
            assert os.path.exists(CHECKOUT / path), path

    @pytest.mark.parametrize(
        "name", [n for n, row in PROOFS["playbooks"].items() if "tests" in row]
    )
    def test_the_test_of_a_playbook_runs_it(self, name: str) -> None:
        assert f'"{name}"' in (CHECKOUT / PROOFS["playbooks"][name]["tests"]).read_text()

    @pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
    def test_a_playbook_says_in_its_first_line_that_it_is_not_proved(self, path: Path) -> None:
        first = path.read_text().removeprefix("---\n").splitlines()[0]
        said = first.startswith("# Not proved by the embedded AWS: ")
        assert said == ("instead" in PROOFS["playbooks"][path.stem])
