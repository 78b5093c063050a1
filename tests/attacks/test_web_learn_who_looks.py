# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Another host wants to learn who opens Dicoogle's page, and what it shows.

Dicoogle's own page asks for a font elsewhere; a study's description could hold more.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sites import Site, open_in_browser, running
from support.image_entry_points import needs_nginx
from support.running_nginx import Proxy, Upstream, an_upstream, running_nginx

HOST = "pacs.hospital.example"
PAGE = """
<!doctype html><title>Dicoogle</title>
<link rel="stylesheet" href="/css/own.css"><link rel="stylesheet" href="ELSEWHERE/style.css">
<body style="color: black" onload="fetch('/providers?ran=inline')">
<p style="font-family: foreign">Who looks?</p>
<img src="ELSEWHERE/picture.png"><iframe src="ELSEWHERE/frame"></iframe>
<object data="ELSEWHERE/object"></object><video src="ELSEWHERE/video"></video>
<script>fetch("/providers?ran=inline")</script>
<script src="ELSEWHERE/script.js"></script><script src="/dist/own.js"></script>
"""
STYLE = '@font-face { font-family: foreign; src: url("ELSEWHERE/font.ttf"); } p { color: red }'
# What Dicoogle's own script does with its page, then what a foreign one would like to do with it.
SCRIPT = """
const paragraph = document.querySelector("p");
paragraph.setAttribute("style", "font-family: foreign; width: 7px");
const tries = [
  () => fetch("ELSEWHERE/fetch").catch(() => 0),
  () => navigator.sendBeacon("ELSEWHERE/beacon"),
  () => new WebSocket("ELSEWHERE/socket".replace("https", "wss")),
  () => new EventSource("ELSEWHERE/events"),
  () => new Worker("ELSEWHERE/worker.js"),
  () => Object.assign(new Image(), {src: "ELSEWHERE/pixel"}),
  () => {
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, {action: "ELSEWHERE/form", method: "post"}).submit();
  },
];
for (const each of tries) try { each() } catch { }
const width = getComputedStyle(paragraph).width;
setTimeout(() => fetch(`/searchDIM?query=finished&width=${width}`), 1500);
"""

pytestmark = needs_nginx


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with an_upstream() as dicoogle:
        yield dicoogle


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with running_nginx(upstream.port) as nginx:
        yield nginx


@pytest.fixture
def elsewhere(proxy: Proxy) -> Iterator[Site]:
    with running(Site("", proxy.certificate)) as site:
        yield site


def test_a_browser_asks_no_other_host_for_dicoogles_page(
    upstream: Upstream, proxy: Proxy, elsewhere: Site, tmp_path: Path
) -> None:
    contents = {
        "/": ("html", PAGE),
        "/css/own.css": ("css", STYLE),
        "/dist/own.js": ("javascript", SCRIPT),
    }
    host = f"https://elsewhere.example:{elsewhere.server_port}"
    for path, (kind, content) in contents.items():
        upstream.pages[path] = f"text/{kind}", content.replace("ELSEWHERE", host).encode()
    with open_in_browser(f"https://{HOST}:{proxy.port}/", tmp_path):
        proxy.log("GET /searchDIM")
    assert "GET /searchDIM?query=finished&width=7px" in upstream.requests
    assert "GET /providers?ran=inline" not in upstream.requests
    assert elsewhere.asked == []


def test_a_link_elsewhere_does_not_tell_where_it_was(proxy: Proxy) -> None:
    for managing in (False, True):
        headers = proxy.ask("/", managing=managing)[0].headers
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
