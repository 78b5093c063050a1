# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An attacker with a login wants Dicoogle's other paths: to remove images, or to make users.

The requests go through the real nginx to the Jetty that Dicoogle carries, as it reads paths unlike
nginx. Each seed makes up 20 requests; ATTACK_SEEDS asks for another number of seeds.
"""

from __future__ import annotations

import os
import random
import socket
import ssl
import subprocess
from collections.abc import Iterator

import pytest
from support import CHECKOUT
from support.image_entry_points import needs_nginx
from support.running_nginx import Proxy, running_nginx

JETTY = CHECKOUT / ".cache" / "jetty"
SEEDS = range(int(os.environ.get("ATTACK_SEEDS", "200")))
REQUESTS = 20  # of a seed

pytestmark = [
    needs_nginx,
    pytest.mark.skipif(
        not (JETTY / "Servlets.class").exists(), reason="Jetty is not here (make attacks)"
    ),
]

# As Dicoogle mounts its servlets, with what a reader's page may do with each.
OPEN = {
    "/dic2png": {"GET", "HEAD"},
    "/dump": {"GET", "HEAD"},
    "/exportFile": {"GET", "HEAD", "POST"},
    "/export/list": {"GET", "HEAD"},
    "/ext/version": {"GET", "HEAD"},
    "/login": {"GET", "HEAD", "POST"},
    "/logout": {"POST"},
    "/presets/*": {"GET", "HEAD"},
    "/providers": {"GET", "HEAD"},
    "/search": {"GET", "HEAD"},
    "/searchDIM": {"GET", "HEAD"},
    "/webui": {"GET", "HEAD"},
    "/webui/module/*": {"GET", "HEAD"},
    "/welcome": {"GET", "HEAD"},
    "/": {"GET", "HEAD"},  # the page's files, and all that nothing else takes
}
CLOSED = [
    *("/management/tasks/index", "/management/tasks/unindex", "/management/tasks/remove"),
    *("/management/dicom/storage", "/management/dicom/query", "/management/settings/index"),
    *("/management/settings/transfer", "/management/settings/dicom", "/user/*", "/plugins/*"),
    *("/legacy/*", "/logger", "/indexer", "/index/task", "/settings", "/roi", "/wado", "/dictags"),
    *("/export", "/export/cvs", "/ml/train", "/search/holders", "/ext/report"),
]
WANTED = [mapping.replace("/*", "/x") for mapping in CLOSED]
PREFIXES = [
    *("/css", "/dist", "/assets/a", "/presets/a", "/webui/module/m", "/search", "/ext/version"),
    *("", "/management", "/management/tasks", "/user", "/legacy"),
]
UPWARDS = [
    *("/../", "/../", "/..//", "//../", "/..;/", "/%2e%2e/", "/%2E./", "/.%2e/", "/..%2f"),
    *("%2f../", "/..\\", "/..%5c", "/%252e%252e/", "/%c0%ae%c0%ae/", "/%u002e%u002e/"),
    *(
        "/%C0%AE%C0%AE/",
        "/%E0%80%AE%E0%80%AE/",
        "/%F0%80%80%AE./",
        "/%EF%BC%8E%EF%BC%8E/",
        "/%80./",
    ),
]
STEPS = [
    *("/", "//", "/./", "/.//", "///", "/;/", "/;x=1/", "/.;/", "%2f", "%2F", "/%2f", "\\", "%5c"),
    *("%252f", "%c0%af", "%u002f", "/%00/", "/%0a/", "/%20/", "/+/", "/~/", "/#/", "/?/", "/%3f/"),
    *(
        "/%23/",
        "/%ef/",
        "%5C",
        "%C0%AF",
        "%E0%80%AF",
        "%F0%80%80%AF",
        "%EF%BC%8F",
        "%80%AF",
        "/%3B/",
    ),
]
ENDS = [
    *("/", "//", ";", ";x", "/.", "/..", "/%2e", "%20", "%00", "?", "?x=/css/a", "#", "#/css/a"),
    *("%3f", "%23", "/x", "/../remove", ";/css/a.css", ".css", "/a.css", "%0a"),
]
READING = ["GET", "HEAD"]
METHODS = [*READING, "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "M-SEARCH", "PROP_FIND", "X_"]


def written_otherwise(path: str, chance: random.Random) -> str:
    """The path with some of its characters encoded, in capitals, or with a parameter."""
    changed = ""
    for character in path:
        draw = chance.random()
        if draw < 0.03:
            changed += f"%{ord(character):{chance.choice(['02x', '02X'])}}"
        elif draw < 0.04:
            changed += f"%25{ord(character):02X}"
        elif draw < 0.05 and character == "/":
            changed += chance.choice([";a=b/", "//", "/./", "/x/../"])
        else:
            changed += character.upper() if draw > 0.998 else character
    return changed


def request_line(chance: random.Random) -> str:
    """A request that may reach what is closed, by whatever way a path can be read."""
    path = chance.choice(PREFIXES)
    for _unused in range(chance.choice([1, 1, 2, 3])):
        path += chance.choice(chance.choice([STEPS, UPWARDS]))
    wanted = chance.choice(WANTED)
    path += wanted[1:] if path.endswith("/") else wanted
    if chance.random() < 0.3:
        path = written_otherwise(path, chance)
    method = chance.choice(chance.choice([READING, METHODS]))
    host = chance.choice(["", "", "", "http://h"])
    end = chance.choice(chance.choice([ENDS, [""]]))
    return f"{method} {host}{path}{end} HTTP/1.1"


def reached(port: int, line: str, context: ssl.SSLContext | None = None) -> str | None:
    """The method and mapping of the servlet that a request reaches, if it reaches one."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        stream = context.wrap_socket(connection) if context else connection
        head = f"{line}\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        stream.sendall(head.encode())
        answer = stream.makefile("rb").read().decode(errors="replace")
    headers = answer.partition("\r\n\r\n")[0].split("\r\n")[1:]
    return next((each[9:] for each in headers if each.startswith("Reached: ")), None)


def is_closed(servlet: str | None) -> bool:
    """Whether a reader's page has no business there."""
    method, _unused, mapping = (servlet or "").partition(" ")
    return servlet is not None and method not in OPEN.get(mapping, set())


@pytest.fixture(scope="module")
def jetty() -> Iterator[int]:
    """Return the port of Jetty with all servlets."""
    command = ["java", "-cp", f"{JETTY}:{JETTY}/*", "Servlets", *CLOSED, *OPEN]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def proxy(jetty: int) -> Iterator[Proxy]:
    with running_nginx(jetty) as nginx:
        yield nginx


@pytest.mark.parametrize("line", ["POST /login", "GET /ext/version", "GET /css/a.css"])
def test_what_is_open_is_reached(proxy: Proxy, line: str) -> None:
    servlet = reached(proxy.port, f"{line} HTTP/1.1", ssl._create_unverified_context())
    assert servlet
    assert not is_closed(servlet)


def test_the_requests_would_reach_what_is_closed_without_nginx(jetty: int) -> None:
    chance = random.Random(0)
    found = {reached(jetty, request_line(chance)) for _unused in range(300)}
    assert len({each for each in found if is_closed(each)}) > 20


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_that_is_closed_is_reached(proxy: Proxy, seed: int) -> None:
    chance, context = random.Random(seed), ssl._create_unverified_context()
    lines = [request_line(chance) for _unused in range(REQUESTS)]
    found = {line: reached(proxy.port, line, context) for line in lines}
    assert {line: each for line, each in found.items() if is_closed(each)} == {}


@pytest.mark.parametrize(
    "path",
    [
        *("/management/tasks//../remove", "/management/tasks//%2e%2e/remove", "//user/x"),
        *("/management//..%2ftasks/remove", "/management/tasks/%2f..%2fremove", "/user//../x"),
        *("/management/tasks//./../remove", "/legacy//../x", "/legacy/x/..%2f/..", "/user;x/x"),
    ],
)
def test_what_once_was_reached_is_not(proxy: Proxy, path: str) -> None:
    for method in METHODS:
        line = f"{method} {path} HTTP/1.1"
        assert reached(proxy.port, line, ssl._create_unverified_context()) is None
