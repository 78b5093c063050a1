# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start the embedded AWS: python -m openpacs_embedded and the options below.

The process id stands in the pid file, which stays locked as long as the server lives: a lock,
unlike a number, cannot outlive its process or come to mean another one.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import sys
from pathlib import Path
from typing import IO

from openpacs_embedded import access_key

REGION = "us-east-1"


def environment(port: int, data: Path) -> dict[str, str]:
    """Return MiniStack's settings; it reads them while it is imported."""
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(data / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(data / "s3"),
        "ECS_RESTORE_RECONCILE_DELAY_SECONDS": "0",
        "TMPDIR": str(data / "tmp"),
        "LOG_LEVEL": "WARNING",
    }


def hold(pid_file: Path) -> IO[str]:
    """Lock the pid file and return it; to be kept open. Ends the program when it is locked."""
    handle = pid_file.open("a")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        sys.exit(f"another server holds {pid_file}")
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def main() -> None:
    """Read the command line, set MiniStack up and serve."""
    parser = argparse.ArgumentParser(prog="openpacs_embedded")
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument("--data", type=Path, required=True, help="folder of state and logs")
    parser.add_argument("--pid-file", type=Path, required=True, help="locked while running")
    parser.add_argument("--credentials", type=Path, required=True, help="file of the access key")
    arguments = parser.parse_args()
    os.umask(0o077)
    pid_file = hold(arguments.pid_file)
    data = arguments.data.resolve()
    for folder in ("state", "s3", "tmp"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(arguments.port, data))
    try:
        access_key.publish(arguments.credentials)
    except KeyError as missing:
        sys.exit(f"{arguments.credentials} holds no {missing}; remove it to have a new key made")
    from openpacs_embedded import server  # only now: it imports MiniStack

    with pid_file:
        server.run(arguments.port, data / "access.log")


if __name__ == "__main__":
    main()
