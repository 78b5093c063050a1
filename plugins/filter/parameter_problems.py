# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Filter `parameter_problems`: which values no parameter of a stack can have."""

from __future__ import annotations

DOCUMENTATION = r"""
name: parameter_problems
version_added: 1.0.0
author: openpacs contributors (@openpacs)
short_description: Tell which values no parameter of a stack can have
description:
  - Finds what M(openpacs.dicoogle.cloudformation_stack) would refuse, before anything is touched.
positional: _input
options:
  _input:
    description: The values by the names of the parameters.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Check the parameters
  ansible.builtin.assert:
    that: not problems
    fail_msg: "{{ problems | join(' ') }}"
  vars:
    problems: "{{ parameters | openpacs.dicoogle.parameter_problems }}"
    parameters:
      TaskSize: medium
"""

RETURN = r"""
_value:
  description: One sentence for each problem, with what to change; empty when all is well.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.openpacs.dicoogle.plugins.module_utils._cloudformation.plan import (
    parameter_text,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


def parameter_problems(parameters: t.Mapping[str, t.Any]) -> list[str]:
    """Return a sentence for each value that is no text, number or list of these."""
    problems = []
    for name, value in parameters.items():
        try:
            parameter_text(name, value)
        except ModuleError as error:
            problems.append(str(error))
    return problems


class FilterModule:
    """Gives Ansible the filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {"parameter_problems": parameter_problems}
