# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle import instances
from ansible_collections.openpacs.dicoogle.plugins.modules import dicoogle_instance
from dicoogle_web import JSON, DicoogleWeb

FIRST, SECOND = "1.2.3.1", "1.2.3.10"
REMOVE = "POST /management/tasks/remove"
UNINDEX = "POST /management/tasks/unindex"


@pytest.fixture
def options(dicoogle: DicoogleWeb) -> dict[str, Any]:
    """Return the options to remove the first of two images."""
    dicoogle.add(FIRST)
    dicoogle.add(SECOND)
    return {
        "host": "127.0.0.1",
        "port": dicoogle.port,
        "sop_instance_uids": [FIRST],
        "state": "absent",
    }


def test_an_image_goes_and_the_other_stays(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    result = run_module(dicoogle_instance, **options)
    assert result["changed"]
    assert result["removed"] == [FIRST]
    assert result["uris"] == [(dicoogle.folder / f"{FIRST}.dcm").as_uri()]
    assert result["milliseconds"] > 0
    assert dicoogle.files() == [f"{SECOND}.dcm"]
    assert list(dicoogle.index.values()) == [SECOND]


def test_a_second_run_changes_nothing(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    run_module(dicoogle_instance, **options)
    result = run_module(dicoogle_instance, **options)
    assert (result["changed"], result["removed"], result["uris"]) == (False, [], [])


def test_check_mode_removes_nothing(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    options["sop_instance_uids"] = [SECOND, "1.2.3.4", FIRST, SECOND]
    result = run_module(dicoogle_instance, check_mode=True, **options)
    assert result["changed"]
    assert result["removed"] == [SECOND, FIRST]
    assert len(result["uris"]) == 2
    assert len(dicoogle.files()) == len(dicoogle.index) == 2


def test_the_file_goes_before_its_entry_in_the_index(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    run_module(dicoogle_instance, **options)
    assert dicoogle.asked.index(REMOVE) < dicoogle.asked.index(UNINDEX)


def test_a_run_that_was_killed_in_between_is_completed(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    (dicoogle.folder / f"{FIRST}.dcm").unlink()
    result = run_module(dicoogle_instance, **options)
    assert result["removed"] == [FIRST]
    assert list(dicoogle.index.values()) == [SECOND]


def test_an_image_that_is_indexed_twice_goes_altogether(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    copy = dicoogle.folder / "a copy.dcm"
    copy.write_bytes(b"DICM")
    dicoogle.index[copy.as_uri()] = FIRST
    result = run_module(dicoogle_instance, **options)
    assert len(result["uris"]) == 2
    assert dicoogle.files() == [f"{SECOND}.dcm"]


@pytest.mark.parametrize(
    "uid", ["", "1.2.*", "1.2.", "1..2", '1.2" OR "1', "1.2\n", "1." * 32 + "1"]
)
def test_what_is_no_uid_is_refused_before_anything_is_asked(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any], uid: str
) -> None:
    options["sop_instance_uids"] = [FIRST, uid]
    result = run_module(dicoogle_instance, **options)
    assert result["reason"] == "invalid_input"
    assert repr(uid) in result["msg"]
    assert dicoogle.asked == []


def test_nothing_is_removed_when_a_search_finds_another_image(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    found = [{"uri": uri, "fields": {"SOPInstanceUID": uid}} for uri, uid in dicoogle.index.items()]
    dicoogle.replies["/search"] = (200, JSON, json.dumps({"results": found}).encode())
    result = run_module(dicoogle_instance, **options)
    assert (result["reason"], result["removed"]) == ("invalid_response", [])
    assert SECOND in result["msg"]
    assert set(dicoogle.asked) == {"GET /search"}


def test_padding_of_a_uid_means_nothing(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    found = [{"uri": uri, "fields": {"SOPInstanceUID": f"{FIRST} "}} for uri in dicoogle.index][:1]
    dicoogle.replies["/search"] = (200, JSON, json.dumps({"results": found}).encode())
    result = run_module(dicoogle_instance, check_mode=True, **options)
    assert result["removed"] == [FIRST]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"results": [{}]}', b'{"results": [1]}'])
def test_an_incomplete_answer_removes_nothing(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any], body: bytes
) -> None:
    dicoogle.replies["/search"] = (200, JSON, body)
    result = run_module(dicoogle_instance, **options)
    assert result["reason"] == "invalid_response"
    assert set(dicoogle.asked) == {"GET /search"}


def test_a_file_that_dicoogle_cannot_delete_stays_in_the_index(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    dicoogle.replies["/management/tasks/remove"] = (200, {}, b"")
    result = run_module(dicoogle_instance, **options)
    assert (result["reason"], result["changed"]) == ("not_removed", False)
    assert f"has not deleted the file of {FIRST}" in result["msg"]
    assert UNINDEX not in dicoogle.asked


def test_an_index_that_keeps_an_image_is_told_in_the_end(
    run_module: Any,
    dicoogle: DicoogleWeb,
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(instances, "LOOK_AGAIN", 0.01)
    dicoogle.replies["/management/tasks/unindex"] = (200, JSON, b"{}")
    result = run_module(dicoogle_instance, **options, timeout=0.2)
    assert result["reason"] == "not_removed"
    assert "the index still has it after 0.2 s" in result["msg"]
    assert dicoogle.asked.count("GET /search") > 2


def test_what_was_removed_before_a_failure_is_told(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    options["sop_instance_uids"] = [FIRST, SECOND]
    (dicoogle.folder / f"{SECOND}.dcm").unlink()
    (dicoogle.folder / f"{SECOND}.dcm").mkdir()  # which the file server cannot delete
    result = run_module(dicoogle_instance, **options)
    assert result["failed"]
    assert (result["changed"], result["removed"]) == (True, [FIRST])


def test_a_sign_in_page_is_no_management_entrance(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    dicoogle.replies["/search"] = (302, {"Location": "https://sign-in.example.org/"}, b"")
    result = run_module(dicoogle_instance, **options)
    assert result["reason"] == "sign_in"
    assert "sign-in.example.org" in result["msg"]
    assert "management entrance" in result["msg"]


def test_an_entrance_that_blocks_the_path(
    run_module: Any, dicoogle: DicoogleWeb, options: dict[str, Any]
) -> None:
    dicoogle.replies["/management/tasks/remove"] = (403, {}, b"")
    result = run_module(dicoogle_instance, **options)
    assert (result["reason"], result["status"]) == ("status", 403)
    assert REMOVE in result["msg"]
    assert len(dicoogle.index) == 2
