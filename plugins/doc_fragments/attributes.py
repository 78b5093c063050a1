# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the modules of this collection say about check mode, diff mode and action groups."""

from __future__ import annotations


class ModuleDocFragment:
    """Attributes shared by the modules; each module adds its own `support` levels."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in C(check_mode) and return the changed status without changing anything.
  diff_mode:
    description: Returns what has changed, or what would change in check mode, when in diff mode.
"""

    AWS = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/openpacs.dicoogle.dicoogle) in C(module_defaults) to set defaults.
    support: full
    membership:
      - openpacs.dicoogle.dicoogle
"""
