# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Modules of this collection, whose calls to an embedded AWS pass a proxy that spoils them."""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import CHECKOUT
from support.collection import install_loader
from support.embedded_key import REGION
from support.module_runs import RunModule, run_module
from support.playbook_runs import Account
from support.ports import await_port, free_port

__all__ = ["run_module"]

MITMDUMP = CHECKOUT / ".cache" / "mitmproxy" / "bin" / "mitmdump"
NOTHING = {"fault": "", "operations": [], "first": 0}


def pytest_configure() -> None:
    """Let the collection be imported."""
    install_loader()


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An embedded AWS without a container engine."""
    account = Account(tmp_path_factory.mktemp("faults") / "aws", engine=False)
    account.succeed("embedded")
    yield account
    account.run("embedded", dicoogle_embedded_state="stopped")


@dataclass(frozen=True)
class Proxy:
    """A proxy that spoils calls to AWS on order."""

    order: Path
    port: int

    @contextlib.contextmanager
    def spoils(self, fault: str, *operations: str, first: int = 0) -> Iterator[Callable[[], Any]]:
        """Spoil the first calls of operations, as spoiler.py says, until the end.

        Gives a function that returns the operations that were spoiled so far.
        """
        log = self.order.with_suffix(".log")
        log.write_text("")
        order = {"fault": fault, "operations": operations, "first": first}
        self.order.write_text(json.dumps(order))
        try:
            yield lambda: set(log.read_text().split())
        finally:
            self.order.write_text(json.dumps(NOTHING))


@pytest.fixture(scope="session")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy, which passes everything on."""
    proxy = Proxy(tmp_path_factory.mktemp("proxy") / "order", free_port())
    proxy.order.write_text(json.dumps(NOTHING))
    command = [str(MITMDUMP), "--quiet", "--listen-host", "127.0.0.1"]
    command += ["--listen-port", str(proxy.port), "--set", f"confdir={proxy.order.parent}"]
    command += ["--set", f"order={proxy.order}"]
    command += ["--scripts", str(Path(__file__).with_name("spoiler.py"))]
    with subprocess.Popen(command) as process:
        await_port(proxy.port, process)
        yield proxy
        process.terminate()


@pytest.fixture
def run(
    account: Account, proxy: Proxy, run_module: RunModule, monkeypatch: pytest.MonkeyPatch
) -> RunModule:
    """Return run(module, check_mode=False, **options), which calls AWS through the proxy."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    connection = {
        "endpoint_url": account.endpoint_url,
        "region": REGION,
        "access_key": account.key.identity,
        "secret_key": account.key.secret,
    }
    package = "ansible_collections.openpacs.dicoogle.plugins.modules"

    def run(module: str, **options: Any) -> dict[str, Any]:
        return run_module(importlib.import_module(f"{package}.{module}"), **connection, **options)

    return run
