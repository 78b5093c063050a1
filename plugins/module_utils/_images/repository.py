# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where an image goes. Private to this collection."""

from __future__ import annotations

import re
from dataclasses import dataclass

REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr\.[^/]+")


@dataclass(frozen=True)
class Repository:
    """A repository of ECR.

    given: as the user wrote it, a name or a URI.
    account: the registry's ID, None where only a name was given.
    """

    given: str
    name: str
    account: str | None


def parse_repository(given: str) -> Repository:
    """Return the repository that a name or a URI means."""
    registry, name = given.partition("/")[::2]
    match = REGISTRY.fullmatch(registry)
    return Repository(given, name, match["account"]) if match else Repository(given, given, None)
