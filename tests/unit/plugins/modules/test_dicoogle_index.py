# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicoogle import keeper
from ansible_collections.openpacs.dicoogle.plugins.modules import dicoogle_index
from dicoogle_web import DicoogleWeb


@pytest.fixture
def run(run_module: Any, dicoogle: DicoogleWeb, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(keeper, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(keeper, "TELL_EVERY", 0.0)
    return lambda **options: run_module(
        dicoogle_index, host="127.0.0.1", port=dicoogle.port, **options
    )


def test_all_images_are_indexed_again(run: Any) -> None:
    result = run()
    assert (result["changed"], result["path"]) == (True, "/data/images")
    assert (result["folders_done"], result["indexed"], result["errors"]) == (2, 20, 0)


def test_a_folder(run: Any) -> None:
    assert run(path="/data/images/froms3")["path"] == "/data/images/froms3"


def test_check_mode_asks_for_nothing(run: Any, dicoogle: DicoogleWeb) -> None:
    assert run(check_mode=True)["changed"] is True
    assert dicoogle.asked == []


def test_what_was_in_the_index_is_no_change(run: Any, dicoogle: DicoogleWeb) -> None:
    counts = {"folders": 1, "folders_done": 1, "indexed": 0, "errors": 0, "seconds": 0.1}
    done = {"path": "/data/images", "state": "done", **counts}
    body = str({"reindex": done}).replace("'", '"').encode()
    dicoogle.replies["/keeper/reindex"] = (202, {}, body)
    assert run()["changed"] is False


def test_progress_is_written_for_whoever_shows_it(run: Any, tmp_path: Path) -> None:
    run(progress_file=str(tmp_path / "progress"))
    lines = (tmp_path / "progress").read_text().splitlines()
    assert [line[9:] for line in lines] == [
        "/data/images: 1 of 2 folders done, 10 images indexed, 0 errors",
        "/data/images: 2 of 2 folders done, 20 images indexed, 0 errors",
    ]


def running(dicoogle: DicoogleWeb, path: str) -> None:
    counts = {"folders": 9, "folders_done": 1, "indexed": 5, "errors": 0, "seconds": 1.0}
    dicoogle.reindex = {"path": path, "state": "running", **counts}


@pytest.mark.parametrize("path", [None, "/data/images", "/data/images/"])
def test_a_run_of_the_same_is_followed(run: Any, dicoogle: DicoogleWeb, path: str | None) -> None:
    running(dicoogle, "/data/images")
    assert run(**({} if path is None else {"path": path}))["folders_done"] == 9


def test_a_run_of_something_else_is_named(run: Any, dicoogle: DicoogleWeb) -> None:
    running(dicoogle, "/data/images/CT")
    result = run(path="/data/images/MR")
    assert result["reason"] == "busy"
    assert "/data/images/CT is being indexed already" in result["msg"]


def test_another_folder_is_refused_in_the_keepers_words(run: Any) -> None:
    result = run(path="/etc")
    assert (result["reason"], result["status"]) == ("status", 400)
    assert "/etc is no folder in /data/images." in result["msg"]


def test_an_archive_without_keeper(run: Any, dicoogle: DicoogleWeb) -> None:
    dicoogle.replies["/keeper/reindex"] = (404, {}, b"")
    result = run()
    assert result["reason"] == "no_keeper"
    assert "management entrance" in result["msg"]


def test_it_ends_in_time_and_says_how_to_go_on(run: Any, dicoogle: DicoogleWeb) -> None:
    running(dicoogle, "/data/images")
    result = run(wait_timeout=0.0)
    assert result["reason"] == "timeout"
    assert "raise wait_timeout" in result["msg"]
    assert result["indexed"] == 15


def test_a_restart_of_the_archive_meanwhile(run: Any, dicoogle: DicoogleWeb) -> None:
    dicoogle.replies["/keeper/reindex"] = (409, {}, b'{"error": "busy"}')
    result = run()
    assert result["reason"] == "not_done"
    assert "Run this again" in result["msg"]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"reindex": null}',
        b'{"reindex": []}',
        b'{"reindex": {"state": "running"}}',
        b'{"reindex": {"state": 1, "path": 1, "folders": 1, "folders_done": 1, "indexed": 1,'
        b' "errors": 1}}',
        b"<html>",
        b"[" * 100_000,
    ],
    ids=lambda body: body[:40].decode(),
)
def test_an_answer_that_is_no_report(run: Any, dicoogle: DicoogleWeb, body: bytes) -> None:
    dicoogle.replies["/keeper/reindex"] = (202, {}, body)
    result = run()
    assert result["reason"] == "invalid_response"
    assert "POST /keeper/reindex" in result["msg"]


@pytest.mark.parametrize("seconds", ["nan", -1])
def test_a_wait_that_would_not_end_is_refused(run: Any, seconds: Any) -> None:
    result = run(wait_timeout=seconds)
    assert result["reason"] == "invalid_input"
    assert "wait_timeout=" in result["msg"]
