# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An attacker wants the browser of a person who is signed in to change something in Dicoogle, or to
read something, so that the log names that person.

The person only opens a page of another site. Dicoogle's own page goes on working, and so does the
way back from the login page, which is on another site as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sites import Site, open_in_browser, running
from support.image_entry_points import needs_nginx
from support.running_nginx import METHODS, Proxy, Upstream, an_upstream, running_nginx

HOST = "pacs.hospital.example"
ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Sec-Fetch-Site": "anything"},
    {"Origin": "https://evil.example"},
    {"Origin": f"http://{HOST}"},
    {"Origin": f"https://{HOST}.evil.example"},
    {"Origin": f"https://{HOST}:8443"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "https://evil.example"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin", "Origin": f"https://{HOST}"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": f"https://{HOST}"},
]
# Everything that makes a browser send something, at the paths of a page and of a plugin.
ATTACK = """
<!doctype html><title>attack</title><body><script>
const target = "TARGET";
const form = (path, method, type) => new Promise(done => {
  const frame = document.createElement("iframe"), form = document.createElement("form");
  frame.name = "frame" + Math.random();
  Object.assign(form, {action: target + path, method: method, enctype: type, target: frame.name});
  const field = document.createElement("input");
  Object.assign(field, {name: "uri", value: "file:///data/images/1.dcm"});
  form.append(field);
  document.body.append(frame, form);
  frame.onload = () => done();
  form.submit();
  setTimeout(done, 3000);
});
const ask = (path, method, mode) => fetch(target + path, {
  method, mode, credentials: "include", body: method == "GET" ? undefined : "x=1",
}).catch(() => 0);
const paths = ["/login", "/logout", "/exportFile", "/dicomweb/studies", "/management/tasks/remove"];
const sent = [];
for (const path of paths) {
  for (const type of ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"])
    sent.push(form(path, "post", type));
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) sent.push(ask(path, method, "cors"));
  sent.push(ask(path, "POST", "no-cors"));
  navigator.sendBeacon(target + path, "x=1");
}
sent.push(form("/indexer", "get", "text/plain"), form("/logout", "get", "text/plain"));
const load = (tag, attribute, path) => new Promise(done => {
  const element = document.createElement(tag);
  element.onload = element.onerror = () => done();
  element[attribute] = target + path;
  document.body.append(element);
  setTimeout(done, 3000);
});
for (const path of ["/dic2png?SOPInstanceUID=1.2", "/dump?uid=1.2", "/", "/dicomweb/studies/1.2"]) {
  sent.push(load("img", "src", path), load("script", "src", path), load("iframe", "src", path));
  sent.push(load("object", "data", path), ask(path, "GET", "cors"), ask(path, "GET", "no-cors"));
}
Promise.all(sent).then(() => fetch("/done"));
</script>
"""
OWN_PAGE = b'<!doctype html><title>own</title><script src="/dist/own.js"></script>'
OWN_SCRIPT = b"""
fetch("/login", {method: "POST", body: "x=1"})
  .then(() => fetch("/dicomweb/studies", {method: "DELETE"}))
  .then(() => fetch("/searchDIM?query=finished"));
"""

pytestmark = needs_nginx


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    pages = {
        "/?code=1": ("text/html", OWN_PAGE),
        "/dist/own.js": ("text/javascript", OWN_SCRIPT),
    }
    with an_upstream(pages) as dicoogle:
        yield dicoogle


@pytest.fixture
def proxy(upstream: Upstream) -> Iterator[Proxy]:
    with running_nginx(upstream.port, NGINX_PLUGIN_PATHS="/dicomweb") as nginx:
        yield nginx


@pytest.fixture
def site(proxy: Proxy) -> Iterator[Site]:
    target = f"https://{HOST}:{proxy.port}"
    attack = ATTACK.replace("TARGET", target)
    with running(Site(attack, proxy.certificate, login=f"{target}/?code=1")) as site:
        yield site


@pytest.mark.parametrize("name", ["evil.example", "other.hospital.example"])
def test_a_page_of_another_site_changes_and_reads_nothing(
    upstream: Upstream, site: Site, tmp_path: Path, name: str
) -> None:
    with open_in_browser(f"https://{name}:{site.server_port}/", tmp_path):
        assert site.done.wait(120), "the page did not come to its end"
    assert upstream.requests == []


def test_the_login_page_leads_back_and_dicoogles_own_page_works(
    upstream: Upstream, proxy: Proxy, site: Site, tmp_path: Path
) -> None:
    with open_in_browser(f"https://login.example:{site.server_port}/login", tmp_path):
        proxy.log("GET /searchDIM")
    own = ["GET /?code=1", "POST /login", "DELETE /dicomweb/studies"]
    assert [each for each in upstream.requests if each in own] == own


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_what_another_site_makes_a_browser_send_is_refused(
    proxy: Proxy, upstream: Upstream, headers: dict[str, str]
) -> None:
    writing = [method for method in METHODS if method not in ("GET", "HEAD")]
    sent = {"Host": HOST, **headers}
    web = {proxy.status("/dicomweb/x", method, sent) for method in writing}
    management = {proxy.status("/user", method, sent, managing=True) for method in METHODS}
    assert (web, management) == ({403}, {403})
    assert upstream.requests == []


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_what_dicoogles_own_page_sends_is_let_through(
    proxy: Proxy, headers: dict[str, str]
) -> None:
    sent = {"Host": HOST, **headers}
    assert proxy.status("/login", "POST", sent) == 200
    assert proxy.status("/user", "POST", sent, managing=True) == 200
