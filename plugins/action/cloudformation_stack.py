# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the module cloudformation_stack and show its progress while it waits."""

from __future__ import annotations

from ansible_collections.openpacs.dicoogle.plugins.plugin_utils._progress import ActionModule

__all__ = ["ActionModule"]
