# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The errors of all modules. Private to this collection."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from traceback import extract_tb
from typing import Any

ISSUES = "https://github.com/openpacs/dicoogle/issues"


def printable(text: object) -> str:
    """Return a text that JSON can carry: names of files need not be UTF-8."""
    return str(text).encode(errors="backslashreplace").decode()


class ModuleError(Exception):
    """A failure told to the user: what failed, on what, why, and what to do next.

    details: further keys of the module's result.
    """

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(printable(message))
        self.details = details

    def result(self) -> dict[str, Any]:
        """Return the arguments of `fail_json`."""
        return {"msg": str(self), **self.details}


def file_reason(error: Exception) -> str:
    """Return why something could not be done with a file; Python's own words tell nobody."""
    if isinstance(error, UnicodeDecodeError):
        return "it is no text in UTF-8"
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return "no file can have this name" if isinstance(error, ValueError) else str(error)


@contextmanager
def using_files(action: str, advice: str = "") -> Iterator[None]:
    """Turn a failure of the file system into a ModuleError.

    action: lower-case verb phrase that names the file, such as "read the template a.yaml".
    advice: a sentence that says what to do next.
    """
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:  # NUL, a loop of links, no UTF-8
        raise ModuleError(f"Failed to {action}: {file_reason(error)}. {advice}".rstrip()) from error


@contextmanager
def reporting_failures(module: Any) -> Iterator[None]:
    """Let a module end with what has failed: by a ModuleError, or by a fault of ours."""
    try:
        yield
    except ModuleError as error:
        module.fail_json(**error.result())
    except Exception as error:
        place = extract_tb(error.__traceback__)[-1]
        module.fail_json(
            msg=printable(
                f"This is a fault of the module: {type(error).__name__} ({error}) in "
                f"{Path(place.filename).name}, line {place.lineno}. What it had done until then "
                f"stays done. Report it at {ISSUES}, with the options of the task."
            )
        )
