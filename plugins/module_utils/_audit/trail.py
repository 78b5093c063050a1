# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who did what, from lines that know half of it each. Private to this collection.

Ghostunnel knows the certificate of a connection, Dicoogle the images of an association. Neither
says the port that joins them, so time does: a tunnel is opened when its association begins. Where
more than one client comes in that moment, all of them are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from .lines import Accepted, Event, Line, Opened, Served, told

MOMENT = timedelta(seconds=1)
UID = re.compile(r"(?<![0-9.])[0-9]+(?:[.][0-9]+)+")
REMOVAL = re.compile(r"POST /management/tasks/(?:remove|unindex)$")
ONE_IMAGE = re.compile(r"uri=.*/[0-9]+(?:[.][0-9]+)+[.]dcm|SOPInstanceUID=[0-9.]+")


def _clients(accepted: Accepted, opened: Iterable[Opened]) -> str:
    """The clients whose tunnel was opened in the moment of an association."""
    names = {each.who for each in opened if abs(each.time - accepted.time) <= MOMENT}
    return " or ".join(sorted(names))


def _who(served: Served, accepted: Iterable[Accepted], opened: Iterable[Opened]) -> str:
    """The client of an association with the title it calls itself, as far as the log knows."""
    if served.what != "stored":
        return f"the archive, to {served.title}"
    begun = [each for each in accepted if each.number == served.number and each.time <= served.time]
    latest = max(begun, key=lambda each: each.time, default=None)
    clients = _clients(latest, opened) if latest else ""
    return f"{clients or 'a client'}, as {served.title}"


def events(lines: Iterable[Line]) -> list[Event]:
    """What was done, in order of time."""
    found = [each for each in map(told, lines) if each]
    opened = [each for each in found if isinstance(each, Opened)]
    accepted = [each for each in found if isinstance(each, Accepted)]
    storing = [each for each in opened if each.tunnel == "storage"]
    done = [each for each in found if isinstance(each, Event)]
    served = [each for each in found if isinstance(each, Served)]
    done += [
        Event(each.time, each.who, f"opened the {each.tunnel} tunnel from {each.address}")
        for each in opened
    ]
    done += [
        Event(each.time, _who(each, accepted, storing), each.what, each.image, each.result)
        for each in served
    ]
    return sorted(done, key=lambda each: each.time)


def _may_have_held_any(event: Event) -> bool:
    """Whether something was removed that does not tell which images, such as a folder."""
    named = re.split(r"[&\s]+", event.image)
    return bool(REMOVAL.match(event.what)) and not all(map(ONE_IMAGE.fullmatch, named))


def _concerns(event: Event, images: set[str]) -> bool:
    """Whether an event is about one of the images, as far as the log knows."""
    named = UID.findall(f"{event.what} {event.image}")
    return not images.isdisjoint(named) or _may_have_held_any(event)


def selected(found: Iterable[Event], images: Iterable[str], client: str) -> list[Event]:
    """What was done with one of the images, or by the client, without either everything."""
    wanted = set(images)
    return [
        each
        for each in found
        if (not wanted or _concerns(each, wanted)) and client.casefold() in each.who.casefold()
    ]
