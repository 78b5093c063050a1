# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the lines of the containers' log tell, one by one. Private to this collection."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import unquote

NOBODY = {"", "-"}


@dataclass(frozen=True)
class Line:
    """A line of the log, with the container that wrote it."""

    time: datetime
    container: str
    text: str


@dataclass(frozen=True)
class Event:
    """Something that was done: by whom, what, to which image, and how it ended."""

    time: datetime
    who: str
    what: str
    image: str = ""
    result: str = ""


@dataclass(frozen=True)
class Opened:
    """A client has opened a tunnel."""

    time: datetime
    who: str
    address: str
    tunnel: str


@dataclass(frozen=True)
class Accepted:
    """Dicoogle has accepted an association, by its number."""

    time: datetime
    number: str


@dataclass(frozen=True)
class Served:
    """Dicoogle has done what an association asked for."""

    time: datetime
    number: str
    title: str
    what: str
    image: str
    result: str


Told: TypeAlias = "Event | Opened | Accepted | Served"

WEB = re.compile(
    r'^(?P<address>\S+) "(?P<request>[^"]*) HTTP/[0-9.]+" (?P<status>\d+) .* '
    r'person "(?P<person>[^"]*)" image "(?P<image>[^"]*)"$'
)
MANAGEMENT = re.compile(
    r'^(?P<address>\S+) "(?P<request>[^"]*) HTTP/[0-9.]+" (?P<status>\d+) .* '
    r'certificate \S+ "(?P<subject>[^"]*)" serial (?P<serial>\S+) '
    r'(?:image "(?P<image>[^"]*)"|removed "(?P<query>[^"]*)" "(?P<body>[^"]*)")$'
)
TUNNEL = re.compile(r"opening pipe: tcp:(?P<address>\S+) \[(?P<subject>[^]]*)\] <-> ")
ACCEPTED = re.compile(r"\bAssociation\((?P<number>\d+)\) accepted Socket\[")
ANSWER = re.compile(
    r"\] (?P<title>.{1,16})\((?P<number>\d+)\) (?P<way><<|>>) \d+:C-STORE-RSP\["
    r".*\bstatus=(?P<status>[0-9A-F]+)H.*iuid=(?P<image>[0-9.]+)"
)
REMOVED = re.compile(r" PluginController .*\] Finished removing (?P<uri>\S+)")
COMMON_NAME = re.compile(r"(?:^|[,/+ ])CN=(?P<name>[^,+/\]]+)")


def common_name(subject: str) -> str:
    """The common name in a subject, or the subject when it has none."""
    found = COMMON_NAME.search(subject)
    return found["name"] if found else subject


def of_web(line: Line) -> Told | None:
    """A request at the web entrance."""
    if not (found := WEB.match(line.text)):
        return None
    person = found["person"]
    who = f"nobody, from {found['address']}" if person in NOBODY else f"person {person}"
    image = "" if found["image"] in NOBODY else unquote(found["image"])
    return Event(line.time, who, found["request"], image, found["status"])


def of_management(line: Line) -> Told | None:
    """A request at the management entrance."""
    if not (found := MANAGEMENT.match(line.text)):
        return None
    who = f"{common_name(found['subject'])}, certificate {found['serial']}"
    named = found["image"] if found["query"] is None else f"{found['query']} {found['body']}"
    image = " ".join(unquote(part) for part in named.split() if part not in NOBODY)
    return Event(line.time, who, found["request"], image, found["status"])


def of_tunnel(line: Line) -> Told | None:
    """A connection that Ghostunnel has let in."""
    if not (found := TUNNEL.search(line.text)):
        return None
    tunnel = line.container.removeprefix("ghostunnel-")
    return Opened(line.time, common_name(found["subject"]), found["address"], tunnel)


def of_dicoogle(line: Line) -> Told | None:
    """An association, or what it did."""
    if found := ACCEPTED.search(line.text):
        return Accepted(line.time, found["number"])
    if found := ANSWER.search(line.text):
        what = "stored" if found["way"] == "<<" else "sent, by C-MOVE"
        result = f"status {found['status'].rjust(4, '0')}"
        return Served(line.time, found["number"], found["title"], what, found["image"], result)
    if found := REMOVED.search(line.text):
        return Event(line.time, "the archive", "removed", unquote(found["uri"]))
    return None


READERS: dict[str, tuple[Callable[[Line], Told | None], ...]] = {
    "nginx": (of_web, of_management),
    "ghostunnel-storage": (of_tunnel,),
    "ghostunnel-query": (of_tunnel,),
    "dicoogle": (of_dicoogle,),
}


def told(line: Line) -> Told | None:
    """What a line tells, None for one that tells of nothing done."""
    for reader in READERS.get(line.container, ()):
        if found := reader(line):
            return found
    return None
