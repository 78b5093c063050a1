# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom import packages
from ansible_collections.openpacs.dicoogle.plugins.modules import dicoogle_info
from dicoogle_web import DicoogleWeb


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_version(run_module: Any, dicoogle: DicoogleWeb, check_mode: bool) -> None:
    result = run_module(dicoogle_info, check_mode=check_mode, host="127.0.0.1", port=dicoogle.port)
    assert result["changed"] is False
    assert (result["version"], result["sign_in"], result["status"]) == ("3.5.1", None, 200)
    assert result["milliseconds"] > 0
    assert (result["keeper"]["index"], result["keeper"]["storage_open"]) == ("ok", True)


@pytest.mark.parametrize("status", [403, 404])
def test_an_entrance_without_keeper(run_module: Any, dicoogle: DicoogleWeb, status: int) -> None:
    dicoogle.replies["/keeper/status"] = (status, {}, b"")
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert (result["version"], result["keeper"]) == ("3.5.1", None)


def test_a_keeper_that_says_something_else(run_module: Any, dicoogle: DicoogleWeb) -> None:
    dicoogle.replies["/keeper/status"] = (200, {}, b'{"not_findable": 0}')
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert result["reason"] == "invalid_response"
    assert "GET /keeper/status" in result["msg"]


@pytest.mark.parametrize("status", [302, 303])
def test_a_sign_in_page(run_module: Any, dicoogle: DicoogleWeb, status: int) -> None:
    location = "https://pacs.auth.eu-central-1.amazoncognito.com/oauth2/authorize?client_id=1"
    dicoogle.replies["/ext/version"] = (status, {"Location": location}, b"")
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert "failed" not in result
    assert result["version"] is None
    assert result["sign_in"] == "pacs.auth.eu-central-1.amazoncognito.com"
    assert result["status"] == status


@pytest.mark.parametrize("location", ["/login.html", "http://127.0.0.1/login.html"])
def test_a_redirect_to_the_same_host_is_no_sign_in_page(
    run_module: Any, dicoogle: DicoogleWeb, location: str
) -> None:
    dicoogle.replies["/ext/version"] = (302, {"Location": location}, b"")
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert (result["failed"], result["reason"], result["status"]) == (True, "status", 302)


@pytest.mark.parametrize("body", [b"<html>Hello</html>", b"[]", b"{}", b'{"version": ""}'])
def test_a_page_that_is_not_dicoogles(run_module: Any, dicoogle: DicoogleWeb, body: bytes) -> None:
    dicoogle.replies["/ext/version"] = (200, {}, body)
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert result["reason"] == "invalid_response"
    assert "/ext/version" in result["msg"]


def test_an_error_is_told_in_the_words_of_the_service(
    run_module: Any, dicoogle: DicoogleWeb
) -> None:
    dicoogle.replies["/ext/version"] = (503, {}, b'{"error": "not yet"}')
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert (result["reason"], result["status"]) == ("status", 503)
    assert "503 Service Unavailable: not yet" in result["msg"]


@pytest.mark.parametrize("option", [{"port": 0}, {"timeout": 0}])
def test_an_option_that_cannot_be(run_module: Any, option: dict[str, int]) -> None:
    result = run_module(dicoogle_info, **{"host": "127.0.0.1", "port": 1, **option})
    assert result["reason"] == "invalid_input"
    assert next(iter(option)) in result["msg"]


def test_the_dicom_libraries_are_not_needed(
    run_module: Any, dicoogle: DicoogleWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "MISSING", "ImportError: no pynetdicom")
    monkeypatch.setattr(packages, "pynetdicom", None)
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert result["version"] == "3.5.1"


@pytest.mark.parametrize("location", ["http://[bad", "", "//", "https://[::1"])
def test_a_redirect_that_leads_nowhere(
    run_module: Any, dicoogle: DicoogleWeb, location: str
) -> None:
    dicoogle.replies["/ext/version"] = (302, {"Location": location}, b"")
    result = run_module(dicoogle_info, host="127.0.0.1", port=dicoogle.port)
    assert result["failed"]
    assert (result["reason"], result["status"]) == ("status", 302)


@pytest.mark.parametrize("host", ["pacs..example.org", "a" * 70, "pa cs", "pacs\0"])
def test_a_host_that_cannot_be_looked_up(run_module: Any, host: str) -> None:
    result = run_module(dicoogle_info, host=host, port=8080)
    assert result["reason"] == "unknown_host"
    assert "host=" in result["msg"]
