# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the keeper reads from the lines of Dicoogle 3.5.1, and from the files they are in."""

from __future__ import annotations

from pathlib import Path

import pytest
from keeper.journal import (
    Assigned,
    Committed,
    Completed,
    Event,
    Follower,
    IndexFailed,
    LeadsOut,
    NotWritten,
    Read,
    Unindexed,
    parse,
    path_of,
    uri_of,
)

FILE = "/data/images/CT/1.2.3.dcm"
URI = f"file://{FILE}"
STORED = f"1795582216689 DEBUG FileStoragePlugin Assigning new file to URI {URI}"


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (STORED, Assigned(1795582216.689, FILE)),
        (
            f"1795582216689 ERROR FileStoragePlugin Failed to store file {URI}",
            NotWritten(FILE),
        ),
        (
            "1795582216689 ERROR FileStoragePlugin "
            "Failed to create directories for file /data/images/a b/1.dcm",
            NotWritten("/data/images/a b/1.dcm"),
        ),
        (
            "1795582216689 DEBUG FileStoragePlugin "
            "Trying to store file to FS path /data/images/A/CT/../x/1.dcm",
            LeadsOut("/data/images/A/CT/../x/1.dcm"),
        ),
        (
            f"1795582216689 INFO LuceneIndexer Finished Indexing: 1579,2,{URI},"
            "IndexReport [nIndexedFiles=2, nErrors=0, elapsedTime=1795582216]",
            Read("1579", 2, FILE),
        ),
        (
            "1795582216689 INFO LuceneIndexer Finished Index Task: 1579,"
            "IndexReport [nIndexedFiles=2, nErrors=1, elapsedTime=724]",
            Committed("1579", 2, 1),
        ),
        ("1795582216689 ERROR LuceneIndexer Failed to open index", IndexFailed()),
        (
            "1795582216689 INFO PluginController "
            f"Task [3299b1e5-d820-4284-bb0e-572732312e8a] complete on {URI}",
            Completed(FILE),
        ),
        (
            f"1795582216689 INFO PluginController Starting unindexing procedure for {URI}",
            Unindexed(FILE),
        ),
        (
            "1795582216689 INFO PluginController "
            "[lucene] Starting unindexing procedure for 12 items",
            Unindexed(None),
        ),
    ],
)
def test_a_line(line: str, event: Event) -> None:
    assert parse(line) == event


@pytest.mark.parametrize(
    "line",
    [
        "",
        STORED[:40],
        STORED[20:],
        STORED.replace("FileStoragePlugin", "Impostor"),
        "1795582216689 INFO PluginController Task [a] complete on 12 items",
    ],
)
def test_a_line_that_says_nothing(line: str) -> None:
    assert parse(line) is None


def test_the_names_of_files_are_those_that_dicoogle_writes() -> None:
    path = "/data/images/Zürich, 1/a%b.dcm"
    assert path_of("file:///data/images/Z%C3%BCrich,%201/a%25b.dcm") == path
    assert path_of(uri_of(path)) == path


def line(number: int) -> str:
    return STORED.replace("1.2.3", f"1.2.{number}")


class TestFollower:
    @staticmethod
    def numbers(follower: Follower) -> list[str]:
        return [event.path[-5] for event in follower.events() if isinstance(event, Assigned)]

    def test_lines_are_read_once_and_a_torn_one_when_it_is_whole(self, tmp_path: Path) -> None:
        follower, journal = Follower(tmp_path), tmp_path / "journal.log"
        assert self.numbers(follower) == []
        journal.write_text(f"{line(1)}\n{line(2)}\n{line(3)[:30]}")
        assert self.numbers(follower) == ["1", "2"]
        with journal.open("a") as stream:
            stream.write(f"{line(3)[30:]}\n")
        assert self.numbers(follower) == ["3"]
        assert self.numbers(follower) == []

    def test_no_line_is_lost_when_the_file_is_rolled(self, tmp_path: Path) -> None:
        follower, journal = Follower(tmp_path), tmp_path / "journal.log"
        journal.write_text(f"{line(1)}\n")
        assert self.numbers(follower) == ["1"]
        with journal.open("a") as stream:
            stream.write(f"{line(2)}\n")
        journal.rename(tmp_path / "journal-1.log")
        journal.write_text(f"{line(3)}\n")
        journal.rename(tmp_path / "journal-2.log")
        journal.write_text(f"{line(4)}\n")
        assert self.numbers(follower) == ["2", "3", "4"]

    def test_the_tenth_file_comes_after_the_ninth(self, tmp_path: Path) -> None:
        (tmp_path / "journal-9.log").write_text(f"{line(1)}\n")
        (tmp_path / "journal-10.log").write_text(f"{line(2)}\n")
        assert self.numbers(Follower(tmp_path)) == ["1", "2"]

    def test_only_what_was_read_is_discarded(self, tmp_path: Path) -> None:
        follower, journal = Follower(tmp_path), tmp_path / "journal.log"
        (tmp_path / "journal-1.log").write_text(f"{line(1)}\n")
        journal.write_text(f"{line(2)}\n")
        list(follower.events())
        (tmp_path / "journal-2.log").write_text(f"{line(3)}\n")
        follower.discard_read()
        assert {path.name for path in tmp_path.iterdir()} == {"journal-2.log", "journal.log"}

    def test_all_is_discarded_where_nobody_writes(self, tmp_path: Path) -> None:
        follower = Follower(tmp_path)
        for name in ("journal.log", "journal-1.log"):
            (tmp_path / name).write_text(f"{line(1)}\n")
        list(follower.events())
        follower.discard_all()
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "journal.log").write_text(f"{line(2)}\n")
        assert self.numbers(follower) == ["2"]
