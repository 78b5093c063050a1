# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The libraries that do the work. They may be missing where a module is only documented."""

from __future__ import annotations

import traceback
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

__all__ = ["MISSING", "pydicom", "pynetdicom", "require_library", "x509"]

MISSING: str | None = None
try:
    import pydicom
    import pydicom.config
    import pydicom.datadict
    import pynetdicom
    import pynetdicom._config
    import pynetdicom.status
except ImportError:
    pydicom = pynetdicom = None  # type: ignore[assignment]
    MISSING = traceback.format_exc()

x509: Any
try:
    from cryptography import x509
except ImportError:  # only makes a message clearer
    x509 = None


def require_library(module: AnsibleModule) -> None:
    """End the module with a clear message unless pynetdicom, and with it pydicom, is there."""
    if MISSING:
        module.fail_json(msg=missing_required_lib("pynetdicom"), exception=MISSING)
