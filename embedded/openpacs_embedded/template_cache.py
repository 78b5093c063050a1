# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Templates are parsed once: a change set reads each nested template, and so does its execution."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ministack.services.cloudformation import changesets, engine, handlers

from openpacs_embedded.patching import replace

Template = dict[str, Any]
TEMPLATES = 64  # kept; a tree of the size of ours has some twenty


def parse_template(original: Callable[[str], Template], body: str) -> Template:
    """Return a template of the caller's own."""
    return copy.deepcopy(_parsed(original, body))


@lru_cache(maxsize=TEMPLATES)
def _parsed(original: Callable[[str], Template], body: str) -> Template:
    return original(body)


def install() -> None:
    """Parse through the cache."""
    replace("_parse_template", parse_template, engine, handlers, changesets)
