# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Log lines in the form of Dicoogle's, so that one filter reads both."""

from __future__ import annotations

from datetime import UTC, datetime


def info(message: str) -> None:
    """Log what an operator may want to know."""
    _print("INFO", message)


def warn(message: str) -> None:
    """Log what an operator should look at one day."""
    _print("WARN", message)


def error(message: str) -> None:
    """Log what raises an alarm."""
    _print("ERROR", message)


def _print(level: str, message: str) -> None:
    time = datetime.now(UTC).isoformat(timespec="milliseconds")
    print(f"{time} {level:5} keeper [main] {message}", flush=True)
