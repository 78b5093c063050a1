# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle import web
from ansible_collections.openpacs.dicoogle.plugins.modules import dicoogle_page
from dicoogle_web import DicoogleWeb

UID = "1.2.3"


@pytest.fixture
def run(run_module: Any, dicoogle: DicoogleWeb) -> Any:
    dicoogle.add(UID)
    return lambda **options: run_module(
        dicoogle_page,
        **{"host": "127.0.0.1", "port": dicoogle.port, "path": "/dic2png", **options},
    )


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_picture(run: Any, check_mode: bool) -> None:
    result = run(query={"SOPInstanceUID": UID}, content_type="image/png", check_mode=check_mode)
    assert (result["changed"], result["status"]) == (False, 200)
    assert (result["content_type"], result["size"]) == ("image/png", 4)


def test_a_page_of_another_type(run: Any) -> None:
    result = run(path="/ext/version", content_type="image/png")
    assert result["reason"] == "invalid_response"
    assert "GET /ext/version is no image/png but application/json" in result["msg"]


def test_no_such_picture(run: Any) -> None:
    result = run(query={"SOPInstanceUID": "1.2.4"})
    assert (result["reason"], result["status"]) == ("status", 500)


def test_nothing_is_an_answer(run: Any, dicoogle: DicoogleWeb) -> None:
    dicoogle.replies["/dicomweb/studies"] = (204, {}, b"")
    assert run(path="/dicomweb/studies", query={"limit": 1})["status"] == 204


@pytest.mark.parametrize("path", ["dic2png", "", "/röntgen", "/a b", "/a\nb", "/a\0"])
def test_a_path_that_is_none(run: Any, path: str) -> None:
    result = run(path=path)
    assert result["reason"] == "invalid_input"
    assert "slash" in result["msg"]


def test_an_answer_without_end(
    run: Any, dicoogle: DicoogleWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "LONGEST_BODY", 1 << 20)
    dicoogle.replies["/"] = (200, {}, bytes((1 << 20) + 1))
    result = run(path="/")
    assert result["reason"] == "invalid_response"
    assert "longer than 1 MiB" in result["msg"]
