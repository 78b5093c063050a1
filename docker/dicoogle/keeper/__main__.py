# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run a command, which is Dicoogle's, and keep it: `python3 -m keeper java ...`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from . import log
from .keeper import Keeper
from .process import Process
from .settings import Settings


def main() -> int:
    """Run until Dicoogle ends, or a signal says to end."""
    process = Process(sys.argv[1:], Path("confs", "server.xml"))
    keeper = Keeper(Settings.of(os.environ), process)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: keeper.end())
    signal.signal(signal.SIGUSR1, lambda *_: keeper.note_lack_of_memory())
    try:
        return keeper.run()
    except OSError as problem:
        log.error(f"The journal cannot be kept: {problem}. Dicoogle takes no images without it.")
        return 1


if __name__ == "__main__":
    sys.exit(main())
