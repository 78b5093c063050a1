# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The server: MiniStack and its extensions behind one socket on 127.0.0.1."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack import app

from openpacs_embedded import persistence, subjects
from openpacs_embedded.access_key import access_key
from openpacs_embedded.access_log import with_access_log
from openpacs_embedded.admission import with_admission
from openpacs_embedded.loopback_names import with_names
from openpacs_embedded.services_ecs import SCHEDULER

HOST = "127.0.0.1"
KEEP_ALIVE = 75.0  # seconds; longer than the pauses between two calls of a playbook
PATIENCE = 5.0  # seconds that running stack operations get when the server is told to stop


def run(port: int, access_log: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    subjects.install()
    # Not asyncio.run: it would wait for the threads of stack operations that never end.
    asyncio.new_event_loop().run_until_complete(_serve(port, access_log))


async def _serve(port: int, access_log: Path) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def stopped() -> None:
        await stop.wait()
        await persistence.wait_until_quiet(PATIENCE)
        await asyncio.to_thread(SCHEDULER.close)

    config = Config()
    config.bind = [f"{HOST}:{port}"]
    config.keep_alive_timeout = KEEP_ALIVE
    config.graceful_timeout = 1.0
    config.loglevel = "WARNING"
    saving = asyncio.create_task(persistence.save_regularly())
    SCHEDULER.wake()
    try:
        served = with_names(with_access_log(app.app, access_log))
        admitted = with_admission(served, access_key(), port)
        await serve(admitted, config, shutdown_trigger=stopped)
    finally:
        saving.cancel()
