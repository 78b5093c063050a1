# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which files of a build context count, by the rules of .dockerignore. Private.

The rules: https://docs.docker.com/build/concepts/context/#dockerignore-files
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable
from itertools import accumulate

from .._errors import ModuleError

WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def compile_ignore(text: str) -> Callable[[str], bool]:
    """Return a function that tells whether a path, relative and with slashes, is ignored.

    The last pattern that matches the path or one of its folders decides.
    """
    rules = [_rule(line.strip()) for line in text.splitlines() if _is_pattern(line.strip())]

    def ignored(path: str) -> bool:
        folders_and_path = list(accumulate(path.split("/"), posixpath.join))
        matching = [
            ignore
            for expression, ignore in rules
            if any(expression.fullmatch(part) for part in folders_and_path)
        ]
        return bool(matching) and matching[-1]

    return ignored


def _is_pattern(line: str) -> bool:
    return bool(line) and not line.startswith("#")


def _rule(line: str) -> tuple[re.Pattern[str], bool]:
    pattern = posixpath.normpath(line.removeprefix("!").strip()).lstrip("/")
    tokens = re.split(r"(\*\*/?|\*|\?|\[[^\]]+\]|\\.)", pattern)
    try:
        return re.compile("".join(map(_expression, tokens))), not line.startswith("!")
    except re.error as error:
        raise ModuleError(f"The line '{line}' of .dockerignore is no pattern: {error}.") from error


def _expression(token: str) -> str:
    if token in WILDCARDS:
        return WILDCARDS[token]
    if token.startswith("[") and token.endswith("]"):
        return token
    return re.escape(token.removeprefix("\\"))
