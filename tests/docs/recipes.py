# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The recipes of CONTRIBUTING.md as data: edits of files, and commands that check them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

BLOCK = r":\n\n```\w+\n(?P<text>.*?)```"
EDIT = re.compile(
    r"(?:In `(?P<file>[^`]+)`, (?P<where>below|above|in place of) `(?P<line>[^`]+)`"
    rf"|New file `(?P<new>[^`]+)`){BLOCK}",
    re.DOTALL,
)
CHECK = re.compile(rf"Check[^:`]*{BLOCK}", re.DOTALL)


@dataclass(frozen=True)
class Edit:
    """Lines that are put below, above or in place of the first line that is like this one."""

    file: str
    where: str
    line: str
    text: str

    def apply(self, tree: Path) -> None:
        """Change the file in a copy of the repository. Raises ValueError when no line fits."""
        path = tree / self.file
        if self.where == "new":
            path.write_text(self.text)
            return
        lines = path.read_text().splitlines(keepends=True)
        at = lines.index(f"{self.line}\n")
        replaced = lines[at : at + 1]
        lines[at : at + 1] = {
            "above": [self.text, *replaced],
            "below": [*replaced, self.text],
            "in place of": [self.text],
        }[self.where]
        path.write_text("".join(lines))


@dataclass(frozen=True)
class Recipe:
    """A section of CONTRIBUTING.md."""

    title: str
    edits: list[Edit]
    checks: list[str]


def edit(found: re.Match[str]) -> Edit:
    """Return the edit that a sentence and the block below it describe."""
    if found["new"]:
        return Edit(found["new"], "new", "", found["text"])
    return Edit(found["file"], found["where"], found["line"], found["text"])


def recipes(text: str) -> list[Recipe]:
    """Return the recipes of a Markdown file, in their order."""
    chapter = text.partition("\n## Recipes\n")[2].partition("\n## ")[0]
    sections = [section.partition("\n") for section in chapter.split("\n### ")[1:]]
    return [
        Recipe(
            title,
            [edit(found) for found in EDIT.finditer(body)],
            [line for found in CHECK.finditer(body) for line in found["text"].splitlines()],
        )
        for title, _newline, body in sections
    ]
