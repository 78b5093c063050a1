# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whatever a module is given and answered, it ends with a sentence that names what it is about."""

from __future__ import annotations

import contextlib
import copy
import importlib
import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import patch

import botocore.client
import botocore.session
import pytest
from ansible.module_utils import basic
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import REMOTE, Deadline
from botocore.loaders import create_loader
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from support.odd_inputs import (
    OddServer,
    answers,
    argument_spec,
    arguments,
    no_hosts,
    partial,
)

MODULES = Path(__file__).parents[4] / "plugins" / "modules"
NAMES = sorted(path.stem for path in MODULES.glob("*.py"))
OF_AWS = [
    name for name in NAMES if "AnsibleAWSModule(" in (MODULES / f"{name}.py").read_text("utf-8")
]
OTHERS = [name for name in NAMES if name not in OF_AWS]
AWS = {
    "access_key": "AKIA",
    "secret_key": "only-for-this-test",
    "session_token": None,
    "profile": None,
}
AWS_OPTIONS = {"validate_certs", "aws_ca_bundle", "aws_config", "debug_botocore_endpoint_logs"}
RESOURCES = {
    "bucket",
    "credentials",
    "file",
    "image",
    "lock",
    "parameter",
    "127.0.0.1",  # a peer
    "log group",
    "region",
    "secret",
    "stack",
    "tag",
    "template",
    "waiver",
}
OF_PYTHON = re.compile(
    "Traceback|has no attribute|NoneType|codec can't|embedded null|Errno|fault of the module"
)
UNDER_HYPOTHESIS = settings(
    deadline=None,
    max_examples=40,
    derandomize=True,
    phases=[Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Clock:
    """Goes as clocks do, and ahead instead of a pause; a long wait is over at once."""

    def __init__(self) -> None:
        self._now = time.monotonic
        self._ahead = 0.0

    def __call__(self) -> float:
        return self._now() + self._ahead

    def sleep(self, seconds: float) -> None:
        self._ahead = self._ahead * 2 + seconds + 1


def load(name: str) -> ModuleType:
    return importlib.import_module(f"ansible_collections.openpacs.dicoogle.plugins.modules.{name}")


def result_of(module: ModuleType, options: dict[str, Any], check_mode: bool) -> dict[str, Any]:
    """Run a module in this process and return its result; anything else that it does fails."""
    # Some releases of ansible-core refuse odd texts by themselves, others hand them on.
    given = copy.deepcopy(options) | {"_ansible_check_mode": check_mode, "_ansible_diff": True}
    given["_ansible_no_log"] = True  # what would be logged fails for odd texts, too
    basic._ANSIBLE_PROFILE = "legacy"
    printed = io.StringIO()
    with (
        contextlib.redirect_stdout(printed),
        pytest.raises(SystemExit),
        patch.object(basic, "_load_params", lambda: given),
    ):
        module.main()
    return json.loads(printed.getvalue().splitlines()[-1])


def check(result: dict[str, Any], subjects: set[str]) -> None:
    """See that a failure is told by a sentence that names an option, a file or a resource."""
    if not result.get("failed"):
        return
    msg = result["msg"]
    assert not OF_PYTHON.search(msg), msg
    assert any(subject in msg for subject in subjects | RESOURCES), msg


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what modules do in a folder of its own, without waits, proxies and engines."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", str(home))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    loader = create_loader()
    monkeypatch.setattr(botocore.session, "create_loader", lambda _path: loader)
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    monkeypatch.setattr(time, "sleep", clock.sleep)
    defaults = ("", REMOTE, clock, clock.sleep)
    monkeypatch.setattr(Deadline.__init__, "__defaults__", defaults)


@pytest.fixture
def server(raw_server: Callable[..., int]) -> tuple[OddServer, int]:
    odd = OddServer()
    return odd, raw_server(odd.talk)


def aws_arguments(spec: dict[str, Any], folder: Path, port: int) -> st.SearchStrategy[Any]:
    """Return a strategy of options that lead to this machine only."""
    connection = {**AWS, "endpoint_url": f"http://127.0.0.1:{port}", "region": "us-east-1"}
    own = {name: option for name, option in spec.items() if name not in AWS_OPTIONS}
    return arguments(own, folder, {name: st.just(value) for name, value in connection.items()})


@pytest.mark.parametrize("name", OF_AWS)
def test_a_module_of_aws_with_odd_answers(
    name: str, tmp_path: Path, server: tuple[OddServer, int]
) -> None:
    module, (odd, port) = load(name), server
    spec = argument_spec(module)

    @UNDER_HYPOTHESIS
    @given(aws_arguments(spec, tmp_path, port), answers(), st.booleans())
    def run(options: dict[str, Any], answer: bytes, check_mode: bool) -> None:
        odd.answer = answer
        check(result_of(module, options, check_mode), set(spec))

    run()


@pytest.mark.parametrize("name", OF_AWS)
def test_a_module_of_aws_with_partial_answers(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = load(name)
    spec = argument_spec(module)

    @UNDER_HYPOTHESIS
    @given(aws_arguments(spec, tmp_path, 1), st.integers(0, 2**32), st.booleans())
    def run(options: dict[str, Any], seed: int, check_mode: bool) -> None:
        chance = Random(seed)

        def answer(_self: Any, operation: Any, *_request: Any) -> tuple[Any, dict[str, Any]]:
            return SimpleNamespace(status_code=200), partial(operation.output_shape, chance)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_request", answer)
        check(result_of(module, options, check_mode), set(spec))

    run()


@pytest.mark.parametrize("name", OTHERS)
def test_another_module(name: str, tmp_path: Path, server: tuple[OddServer, int]) -> None:
    module, (odd, port) = load(name), server
    spec = argument_spec(module)
    here = {"host": "127.0.0.1", "port": port, "called_ae_title": "ARCHIVE"}
    peer = {name: st.just(value) for name, value in here.items() if name in spec}
    nowhere = {"host": no_hosts} if "host" in spec else {}

    @UNDER_HYPOTHESIS
    @given(
        arguments(spec, tmp_path, peer) | arguments(spec, tmp_path, nowhere),
        answers(),
        st.booleans(),
    )
    def run(options: dict[str, Any], answer: bytes, check_mode: bool) -> None:
        odd.answer = answer
        check(result_of(module, options, check_mode), set(spec))

    run()
