# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The container's health check: whether Dicoogle takes images, finds them, and can keep them.

Dicoogle keeps running when one of its services failed to start, and answers C-STORE with success
when it cannot write.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request

from . import probe
from .dicoogle import Dicoogle
from .settings import Settings


def main() -> str | None:
    """Return what is wrong, None if all is well."""
    settings = Settings.of(os.environ)
    try:
        status = f"http://127.0.0.1:{settings.keeper_port}/keeper/status"
        with urllib.request.urlopen(status, timeout=5) as answer:
            restarting = json.load(answer)["restarting"]
    except OSError as error:
        return f"the keeper does not answer: {error}"
    if written := probe.problem([settings.images, settings.journal]):
        return written
    if restarting:
        return None
    dicoogle = Dicoogle(settings)
    if not dicoogle.answers():
        return f"Dicoogle's web API does not answer on port {settings.web_port}"
    if not dicoogle.services_listen():
        ports = f"{settings.storage_port} and {settings.query_port}"
        return f"Dicoogle does not listen on both {ports}"
    return None


if __name__ == "__main__":
    sys.exit(main())
