# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One run holds the lock, whatever the others do and whatever becomes of answers."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._deadline import Deadline
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._s3_lock import lock
from ansible_collections.openpacs.dicoogle.plugins.module_utils._s3_lock.api import Place
from botocore.exceptions import ClientError

PLACE = Place("artifacts", "lock")
SPACE = "boot pid:[1]"
BEGIN = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)


def refuse(code: str) -> None:
    raise ClientError({"Error": {"Code": code, "Message": code}}, "operation")


@dataclass
class S3:
    """A bucket that answers conditions as S3 does.

    before: what happens just before the next write.
    loses_answers: of writes, which botocore then repeats.
    """

    texts: dict[str, str] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    now: datetime = BEGIN
    written: datetime = BEGIN
    before: Callable[[], Any] = lambda: None
    loses_answers: bool = False
    refuses: str = ""
    counter: Any = field(default_factory=itertools.count)

    def put_object(self, **request: Any) -> dict[str, str]:
        before, self.before = self.before, lambda: None
        before()
        if self.loses_answers:
            self.loses_answers = False
            self._put(**request)
        return self._put(**request)

    def _put(self, **request: Any) -> dict[str, str]:
        if self.refuses:
            code, self.refuses = self.refuses, ""
            refuse(code)
        if "IfNoneMatch" in request and self.texts:
            refuse("PreconditionFailed")
        self._check(request)
        self.texts["lock"] = request["Body"].decode()
        self.etags["lock"] = f'"{next(self.counter)}"'
        self.written = self.now
        return {"ETag": self.etags["lock"]}

    def _check(self, request: dict[str, str]) -> None:
        if "IfMatch" in request and not self.texts:
            refuse("NoSuchKey")
        if "IfMatch" in request and request["IfMatch"] != self.etags["lock"]:
            refuse("PreconditionFailed")

    def get_object(self, **_request: str) -> dict[str, Any]:
        if not self.texts:
            refuse("NoSuchKey")
        return {
            "Body": io.BytesIO(self.texts["lock"].encode()),
            "ETag": self.etags["lock"],
            "LastModified": self.written,
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(self.now, usegmt=True)}},
        }

    def delete_object(self, **request: str) -> None:
        if self.refuses:
            refuse(self.refuses)
        self._check(request)
        del self.texts["lock"]

    @property
    def holder(self) -> str:
        return json.loads(self.texts["lock"])["run"]


def holder(run: str, process: int | None = 1, space: str = SPACE) -> lock.Holder:
    return lock.Holder(run, "alice", "laptop", process, space, duration=60)


def take(s3: S3, mine: lock.Holder, *, seconds: float = 0, sleep: Any = None) -> lock.Taken:
    """Take the lock in a machine where only process 1 runs."""

    def pause(_seconds: float) -> None:
        s3.now += timedelta(seconds=1)
        if sleep:
            sleep()

    def now() -> float:
        return s3.now.timestamp()

    deadline = Deadline(seconds, "Do this.", clock=now, sleep=pause)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lock.is_free, "__defaults__", (lambda process: process == 1,))
        return lock.take(s3, PLACE, mine, deadline, waited.append)


waited: list[lock.Held] = []


@pytest.fixture(autouse=True)
def _nobody_was_waited_for() -> None:
    waited.clear()


def test_a_free_lock_is_taken_at_once_and_released() -> None:
    s3 = S3()
    taken = take(s3, holder("mine"))
    assert (s3.holder, taken.left_by) == ("mine", None)
    assert lock.release(s3, PLACE, taken.etag) == (True, None)
    assert not s3.texts


def test_a_run_waits_for_another_and_tells_of_it_once() -> None:
    s3 = S3()
    other = take(s3, holder("other"))
    looks = itertools.count()

    def pause() -> None:
        if next(looks) == 3:
            lock.release(s3, PLACE, other.etag)

    assert take(s3, holder("mine"), seconds=60, sleep=pause).left_by is None
    assert s3.holder == "mine"
    assert [str(held) for held in waited] == [
        "alice on laptop in process 1, since 2026-11-30 12:00:00 UTC "
        "and until 2026-11-30 12:01:00 UTC at most"
    ]


def test_a_run_gives_up_and_says_who_holds_the_lock_and_what_to_do() -> None:
    s3 = S3()
    take(s3, holder("other"))
    with pytest.raises(ModuleError) as raised:
        take(s3, holder("mine"), seconds=20)
    assert str(raised.value) == (
        "Gave up waiting for the lock s3://artifacts/lock after 20 seconds. Do this. "
        "It was held by alice on laptop in process 1, since 2026-11-30 12:00:00 UTC "
        "and until 2026-11-30 12:01:00 UTC at most."
    )
    assert s3.holder == "other"


def test_an_expired_lock_is_taken_over() -> None:
    s3 = S3()
    take(s3, holder("other"))
    s3.now += timedelta(seconds=61)
    taken = take(s3, holder("mine"))
    assert taken.left_by
    assert taken.left_by.holder.run == "other"
    assert s3.holder == "mine"


def test_of_two_that_take_over_an_expired_lock_one_gets_it() -> None:
    s3 = S3()
    take(s3, holder("dead"))
    s3.now += timedelta(seconds=61)
    mine, rival = holder("mine"), holder("rival")

    def overtake() -> None:
        s3.before = lambda: take(s3, rival)  # between the look and the write

    s3.before = overtake
    with pytest.raises(ModuleError, match="Gave up"):
        take(s3, mine, seconds=5)
    assert s3.holder == "rival"


@pytest.mark.parametrize(
    ("process", "space", "free"),
    [
        (2, SPACE, True),
        (1, SPACE, False),
        (2, "another machine", False),
        (2, "", False),
        (None, SPACE, False),
    ],
)
def test_the_lock_of_a_process_that_is_seen_dead_is_free_at_once(
    process: int | None, space: str, free: bool
) -> None:
    s3 = S3()
    take(s3, holder("other", process, space))
    held = lock.Held(lock.read_holder(PLACE, s3.texts["lock"]), lock.api.read(s3, PLACE))
    assert lock.is_free(held, SPACE, lambda process: process == 1) is free
    assert not lock.is_free(held, "", lambda process: process == 1)


def test_a_lost_answer_does_not_make_a_run_wait_for_itself() -> None:
    s3 = S3(loses_answers=True)
    taken = take(s3, holder("mine"))
    assert not waited
    assert lock.release(s3, PLACE, taken.etag) == (True, None)


def test_a_conflict_with_another_write_is_tried_again() -> None:
    s3 = S3(refuses="ConditionalRequestConflict")
    take(s3, holder("mine"), seconds=5)
    assert s3.holder == "mine"


def test_a_lock_that_another_run_has_taken_stays() -> None:
    s3 = S3()
    mine = take(s3, holder("mine"))
    s3.now += timedelta(seconds=61)
    take(s3, holder("other"))
    released, other = lock.release(s3, PLACE, mine.etag)
    assert not released
    assert other
    assert other.holder.run == "other"
    assert s3.holder == "other"


def test_a_lock_that_is_gone_needs_no_release() -> None:
    s3 = S3()
    mine = take(s3, holder("mine"))
    s3.texts.clear()
    assert lock.release(s3, PLACE, mine.etag) == (False, None)


def test_the_lock_of_a_removed_bucket_needs_no_release() -> None:
    assert lock.release(S3(refuses="NoSuchBucket"), PLACE, '"0"') == (True, None)


def test_an_object_that_is_no_lock_is_left_alone() -> None:
    s3 = S3(texts={"lock": "<html>"}, etags={"lock": '"0"'})
    with pytest.raises(ModuleError, match="s3://artifacts/lock is no lock"):
        take(s3, holder("mine"))
    assert s3.texts == {"lock": "<html>"}


def test_this_process_runs_and_is_known_where_it_runs() -> None:
    mine = lock.this_run(process=1, duration=60)
    assert lock.is_running(mine.process or 0)
    assert mine.run != lock.this_run(process=1, duration=60).run
