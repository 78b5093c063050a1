# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter C(unknown_variables): variables that look like ours and are none, most likely typos."""

from __future__ import annotations

import typing as t
from difflib import get_close_matches

DOCUMENTATION = r"""
name: unknown_variables
version_added: 1.0.0
short_description: Find misspelt variable names
description:
  - A misspelt variable is silently ignored by Ansible, and a service is then set up half.
  - Any unknown name that starts with O(prefix) counts.
  - Any other name counts only when it is all but equal to a known one.
positional: _input, known
options:
  _input:
    description: The names of all variables that are set.
    type: list
    elements: str
    required: true
  known:
    description: The names that mean something.
    type: list
    elements: str
    required: true
  prefix:
    description: The prefix under which every unknown name is an error.
    type: str
    default: dicoogle_
"""

EXAMPLES = r"""
- name: Refuse misspelt variables
  ansible.builtin.assert:
    that: not problems
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: >-
      {{ lookup('ansible.builtin.varnames', '.+', wantlist=true)
         | openpacs.dicoogle.unknown_variables(['dicoogle_environment', 'stack_topology']) }}
"""

RETURN = r"""
_value:
  description: One sentence for each unknown name, with the likely right one.
  type: list
  elements: str
"""

SIMILARITY = 0.9


def unknown_variables(
    names: t.Iterable[str], known: t.Iterable[str], prefix: str = "dicoogle_"
) -> list[str]:
    """Return a sentence for each of C(names) that is not C(known) and looks as if it should be."""
    known = sorted(set(known))
    problems = []
    for name in sorted(set(names) - set(known)):
        close = get_close_matches(name, known, n=1, cutoff=SIMILARITY)
        if close:
            problems.append(f"The variable {name} is unknown; did you mean {close[0]}?")
        elif name.startswith(prefix):
            ours = ", ".join(each for each in known if each.startswith(prefix))
            problems.append(f"The variable {name} is unknown; remove it. Known are: {ours}.")
    return problems


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"unknown_variables": unknown_variables}
