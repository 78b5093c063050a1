# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit.lines import Line
from ansible_collections.openpacs.dicoogle.plugins.module_utils._audit.trail import (
    events,
    selected,
)

BEGIN = datetime(2026, 1, 31, 8, tzinfo=UTC)
HEAD = "2026-01-31T08:00:00.000Z INFO "


def line(container: str, text: str, after: float = 0) -> Line:
    return Line(BEGIN + timedelta(seconds=after), container, text)


def opened(who: str, after: float, tunnel: str = "storage") -> Line:
    text = (
        f"[1] 2026/01/31 08:00:00 opening pipe: tcp:10.0.1.7:5011 [CN={who}] <-> "
        "tcp:127.0.0.1:6666 [no tls] "
    )
    return line(f"ghostunnel-{tunnel}", text, after)


def accepted(number: int, after: float) -> Line:
    text = (
        f"{HEAD} Association [main] Association({number}) accepted "
        "Socket[addr=/127.0.0.1,port=40722,localport=6666]"
    )
    return line("dicoogle", text, after)


def answered(number: int, after: float, title: str = "MOD", way: str = "<<") -> Line:
    text = (
        f"{HEAD} PDUEncoder [pool-2-thread-1] {title}({number}) {way} 1:C-STORE-RSP[pcid=1, "
        "status=0H\\n\tcuid=1.2.840.10008.5.1.4.1.1.2/CT Image Storage\\n\tiuid=1.2.3]"
    )
    return line("dicoogle", text, after)


def test_a_stored_image_is_joined_with_the_certificate_of_its_tunnel() -> None:
    found = events(
        [
            *(opened("other.x.internal", 0), accepted(6, 0.01)),
            *(opened("scanner.x.internal", 30), accepted(7, 30.01), answered(7, 90)),
        ]
    )
    (stored,) = selected(found, ["1.2.3"], "")
    assert (stored.who, stored.what) == ("scanner.x.internal, as MOD", "stored")
    assert (stored.image, stored.result) == ("1.2.3", "status 0000")


def test_two_clients_of_one_moment_are_both_named() -> None:
    found = events([opened("a.x", 0), opened("b.x", 0.5), accepted(7, 0.3), answered(7, 2)])
    assert found[-1].who == "a.x or b.x, as MOD"


def test_the_number_of_an_association_begins_anew_with_each_task() -> None:
    found = events(
        [
            *(opened("first.x", 0), accepted(1, 0), answered(1, 5)),
            *(opened("second.x", 600), accepted(1, 600), answered(1, 605)),
        ]
    )
    assert [each.who for each in found if each.what == "stored"] == [
        "first.x, as MOD",
        "second.x, as MOD",
    ]


def test_who_only_queries_at_that_moment_has_not_stored() -> None:
    found = events([opened("viewer.x", 0, "query"), accepted(7, 0), answered(7, 1)])
    assert found[-1].who == "a client, as MOD"


def test_what_c_move_sends_is_not_stored_by_anybody() -> None:
    found = events([opened("scanner.x", 0), accepted(7, 0), answered(7, 1, "STORESCP", ">>")])
    assert (found[-1].who, found[-1].what) == ("the archive, to STORESCP", "sent, by C-MOVE")


@pytest.mark.parametrize(
    ("image", "told"),
    [("1.2.3", True), ("1.2", False), ("1.2.3.4", False), ("2.3", False)],
)
def test_a_uid_is_that_of_no_other_image(image: str, told: bool) -> None:
    removal = (
        '10.0.1.7 "POST /management/tasks/remove HTTP/1.1" 200 0 bytes 0.1 s upstream 200 '
        'certificate SUCCESS "CN=administrator.x" serial 1AF '
        'removed "-" "uri=file%3A%2F%2F%2Fdata%2Fimages%2F1.2.3.dcm&uri=file:///9.9.dcm"'
    )
    found = selected(events([line("nginx", removal)]), [image], "")
    assert [each.who for each in found] == ["administrator.x, certificate 1AF"] * told


def test_a_person_is_told_with_the_picture_they_opened() -> None:
    seen = (
        '203.0.113.9 "GET /dic2png HTTP/1.1" 200 812 bytes 0.1 s upstream 200 '
        'person "9f8c" image "1.2.3"'
    )
    (event,) = selected(events([line("nginx", seen)]), ["1.2.3"], "9F8C")
    assert (event.who, event.what, event.result) == ("person 9f8c", "GET /dic2png", "200")


def test_who_has_not_signed_in_is_nobody_from_somewhere() -> None:
    refused = '203.0.113.9 "GET /user HTTP/1.1" 403 9 bytes 0.0 s upstream - person "-" image "-"'
    (event,) = events([line("nginx", refused)])
    assert (event.who, event.image) == ("nobody, from 203.0.113.9", "")


def test_a_client_is_told_with_all_it_did_and_nobody_else_is() -> None:
    found = events([opened("scanner.x", 0), accepted(7, 0), answered(7, 1), opened("b.x", 60)])
    told = selected(found, [], "scanner.x")
    assert [each.what for each in told] == [
        "opened the storage tunnel from 10.0.1.7:5011",
        "stored",
    ]


def test_other_lines_tell_nothing() -> None:
    assert not events(
        [line("nginx", "nginx: a notice"), line("dicoogle", "x"), line("other", "opening pipe")]
    )


def asked(path: str, rest: str) -> Line:
    text = (
        f'10.0.2.9 "{path} HTTP/1.1" 200 0 bytes 0.004 s upstream 200 certificate SUCCESS '
        f'"CN=administrator.1.x" serial 5F {rest}'
    )
    return line("nginx", text)


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("uri=file%3A%2F%2F%2Fdata%2Fimages%2FA%2FCT%2F1.2.3.dcm", True),
        ("uri=file:///data/images/A/CT/%31%2E2.3.dcm", True),
        ("SOPInstanceUID=1.2.4&SOPInstanceUID=1.2.3", True),
        ("uri=file:///data/images/A/CT/1.2.4.dcm", False),
        ("SOPInstanceUID=1.2.4", False),
        # Who knows what was in there.
        ("uri=file:///data/images/A/CT", True),
        ("uri=file:///data/images/A/CT/1.2.4.dcm&uri=file:///data/images", True),
        ("uri=file:///data/images/A/CT/1.2.4/", True),
        ("uri=file:///data/images/froms3/scan1.dcm", True),
        ("StudyInstanceUID=1.2", True),
        ("", True),
    ],
)
@pytest.mark.parametrize("action", ["remove", "unindex"])
def test_a_removal_that_may_have_held_the_image_is_told(
    action: str, named: str, told: bool
) -> None:
    removal = asked(f"POST /management/tasks/{action}", f'removed "-" "{named or "-"}"')
    assert bool(selected(events([removal]), ["1.2.3"], "")) is told


def test_an_image_in_a_path_is_told() -> None:
    lines = [
        asked("GET /dicomweb/studies/1.2/instances/1.2.3", 'image "-"'),
        asked("GET /dicomweb/studies/1.2/instances/1.2.4", 'image "-"'),
    ]
    (found,) = selected(events(lines), ["1.2.3"], "")
    assert found.what == "GET /dicomweb/studies/1.2/instances/1.2.3"
