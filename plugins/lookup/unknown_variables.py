# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Lookup `unknown_variables`: variables that look like ours and are none, most likely typos."""

from __future__ import annotations

DOCUMENTATION = r"""
name: unknown_variables
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Find misspelt variable names
description:
  - A misspelt variable is silently ignored by Ansible, and a service is then set up half.
  - Any unknown name that starts with C(dicoogle_) counts.
  - Any other name counts only when it is all but equal to a variable of a role of this collection.
  - Known is what stands in the defaults of roles, the playbooks and the inventories.
"""

EXAMPLES = r"""
- name: Refuse misspelt variables
  ansible.builtin.assert:
    that: not problems
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ query('openpacs.dicoogle.unknown_variables') }}"
"""

RETURN = r"""
_raw:
  description: One sentence for each unknown name, with the likely right one.
  type: list
  elements: str
"""

import re
import typing as t
from difflib import get_close_matches
from pathlib import Path

from ansible.plugins.lookup import LookupBase

COLLECTION = Path(__file__).parents[2]
PREFIX = "dicoogle_"
SIMILARITY = 0.9


def known_variables(collection: Path) -> set[str]:
    """Return the names that users may set: see DOCUMENTATION for where they stand."""
    defaults = list(collection.glob("roles/*/defaults/main.yml"))
    sources = [
        *defaults,
        *collection.glob("playbooks/*.yml"),
        *collection.glob("inventory/*/group_vars/all.yml"),
    ]
    ours = {
        name for path in sources for name in re.findall(rf"\b{PREFIX}\w+", path.read_text("utf-8"))
    }
    of_roles = {
        name
        for path in defaults
        for name in re.findall(r"^([a-z]\w*):", path.read_text("utf-8"), re.MULTILINE)
    }
    return ours | of_roles


def unknown_variables(names: t.Iterable[str], known: t.Collection[str]) -> list[str]:
    """Return a sentence for each of `names` that is not `known` and looks as if it should be."""
    problems = []
    for name in sorted(set(names) - set(known)):
        close = get_close_matches(name, sorted(known), n=1, cutoff=SIMILARITY)
        if close:
            problems.append(f"The variable {name} is unknown; did you mean {close[0]}?")
        elif name.startswith(PREFIX):
            ours = ", ".join(sorted(each for each in known if each.startswith(PREFIX)))
            problems.append(f"The variable {name} is unknown; remove it. Known are: {ours}.")
    return problems


class LookupModule(LookupBase):
    """Gives Ansible the lookup."""

    def run(
        self, terms: list[str], variables: dict[str, t.Any] | None = None, **kwargs: t.Any
    ) -> list[str]:
        """Return the sentences; names with leading underscores are internal to some role."""
        names = [name for name in variables or {} if not name.startswith("_")]
        return unknown_variables(names, known_variables(COLLECTION))
