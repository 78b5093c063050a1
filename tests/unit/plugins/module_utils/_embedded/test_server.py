# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Starting the process, and saying why that did not work."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded import server
from ansible_collections.openpacs.dicoogle.plugins.module_utils._embedded.layout import Layout
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.socket() as other:
        other.bind((server.HOST, 0))
        other.listen()
        yield other.getsockname()[1]


def test_wanted_port_that_is_taken_is_an_error(taken: int) -> None:
    with pytest.raises(ModuleError, match=f"port {taken} on 127.0.0.1 is taken"):
        server.choose_port(taken, None)


def test_remembered_port_is_kept_unless_it_is_taken(taken: int) -> None:
    free = server.free_port()
    assert server.choose_port(None, free) == free
    assert server.choose_port(None, taken) != taken


def layout_with(tmp_path: Path, program: str) -> tuple[Layout, Path]:
    """Return a layout whose Python is this one, and a source folder with a program."""
    layout = Layout.at(tmp_path / "aws")
    (layout.venv / "bin").mkdir(parents=True)
    (layout.venv / "bin" / "python").symlink_to(sys.executable)
    package = tmp_path / "embedded" / "openpacs_embedded"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(program)
    return layout, package.parent


def test_server_that_dies_is_reported_with_its_last_words(tmp_path: Path) -> None:
    layout, source = layout_with(tmp_path, "raise SystemExit('no room left')")
    with pytest.raises(ModuleError, match="ended while it started:\nno room left"):
        server.start(layout, source, server.free_port(), "digest")
    assert not layout.endpoint.exists()


def test_server_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "START_TIMEOUT", 0.3)
    layout, source = layout_with(tmp_path, "import time; time.sleep(60)")
    with pytest.raises(ModuleError, match=r"embedded AWS to answer after 0\.3 seconds"):
        server.start(layout, source, server.free_port(), "digest")


def test_server_gets_nothing_of_the_users_aws_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "hospital")
    layout, source = layout_with(tmp_path, "import os; raise SystemExit(sorted(os.environ))")
    with pytest.raises(ModuleError) as caught:
        server.start(layout, source, server.free_port(), "digest")
    assert "PYTHONPATH" in str(caught.value)
    assert "AWS_PROFILE" not in str(caught.value)
