# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run the module s3_lock for the process of this run, and show whom it waits for."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.plugin_utils import _progress


class ActionModule(_progress.ActionModule):
    """Tell the module which process ends with this run: Ansible runs each task in a child of it."""

    def _added(self, progress_file: str) -> dict[str, Any]:
        return {**super()._added(progress_file), "process": os.getppid()}
