# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is stored and cannot be found yet, as the journal tells it. Nothing here waits or asks."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from .journal import (
    Assigned,
    Committed,
    Completed,
    Event,
    IndexFailed,
    Read,
    Unindexed,
)

SAMPLE = 16  # images that are looked for to see whether the index is whole
LONGEST_LIST = 10_000  # images that are never findable, of which each is named


@dataclass
class Image:
    """An image that is stored, and not known to be findable."""

    stored: float  # seconds since 1970
    named_after_uid: bool  # Dicoogle has chosen the name of the file
    doubtful: bool = False  # Dicoogle has done with it, and did not say that it is in the index
    tries: int = 0  # how often Dicoogle was told again to index it


@dataclass
class NeverFindable:
    """An image that Dicoogle will never have in its index."""

    sop_instance_uid: str
    reason: str


@dataclass
class _Task:
    files: int = 0
    paths: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """Images by path."""

    missing: dict[str, Image] = field(default_factory=dict)
    never_findable: dict[str, NeverFindable] = field(default_factory=dict)
    sample: dict[str, str] = field(default_factory=dict)  # path to UID, of images in the index
    sample_is_sure: bool = True  # nothing was taken out of the index that is not known
    index_lost: bool = False
    index_failed: bool = False  # Dicoogle has said so since this was last looked at
    reindexing: str | None = None  # the folder, until all of it was handed to Dicoogle
    imported_until: float = 0.0  # seconds since 1970: what is older in the import folder is known
    last_stored: float = 0.0
    _tasks: dict[str, _Task] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Note what an event of the journal means."""
        match event:
            case Assigned(time, path):
                self.expect(path, time, named_after_uid=True)
                self.last_stored = max(self.last_stored, time)
            case Read(task, number, path):
                running = self._tasks.setdefault(task, _Task())
                running.files = number
                if path in self.missing:
                    running.paths.append(path)
            case Committed(task, indexed, errors):
                running = self._tasks.pop(task, _Task())
                if errors == 0 and indexed == running.files:
                    for path in running.paths:
                        self.settle(path)
            case Completed(path):
                if path in self.missing:
                    self.missing[path].doubtful = True
            case Unindexed(path):
                self._forget_sample(path)
            case IndexFailed():
                self.index_failed = True

    def expect(self, path: str, time: float, *, named_after_uid: bool) -> None:
        """Note that an image is stored, and should come into the index."""
        self.never_findable.pop(path, None)
        self.missing[path] = Image(time, named_after_uid)

    def settle(self, path: str) -> None:
        """Note that an image is in the index."""
        image = self.missing.pop(path)
        if image.named_after_uid:
            if len(self.sample) >= SAMPLE:
                del self.sample[list(self.sample)[SAMPLE // 2]]  # old ones stay, and new ones
            self.sample[path] = PurePosixPath(path).stem

    def give_up(self, path: str, uid: str, reason: str) -> None:
        """Note that an image will never be in the index."""
        self.missing.pop(path, None)
        self.never_findable[path] = NeverFindable(uid, reason)
        if len(self.never_findable) > LONGEST_LIST:
            del self.never_findable[next(iter(self.never_findable))]

    def drop(self, path: str) -> None:
        """Forget an image whose file is gone."""
        self.missing.pop(path, None)

    def forget_tasks(self) -> None:
        """Forget what was under way in a Dicoogle that has ended."""
        self._tasks.clear()

    @property
    def waiting(self) -> list[str]:
        """The images that Dicoogle has not done with."""
        return [path for path, image in self.missing.items() if not image.doubtful]

    @property
    def doubtful(self) -> list[str]:
        """The images that Dicoogle has done with, though they may not be in the index."""
        return [path for path, image in self.missing.items() if image.doubtful]

    def oldest(self, now: float) -> float:
        """Return for how many seconds the oldest image has been missing."""
        return max((now - image.stored for image in self.missing.values()), default=0.0)

    def save(self, file: Path) -> None:
        """Write what must outlive the task, all of it or nothing."""
        kept = {name: value for name, value in asdict(self).items() if not name.startswith("_")}
        new = file.with_suffix(".new")
        with new.open("w") as stream:
            json.dump(kept, stream)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)

    @classmethod
    def load(cls, file: Path) -> Ledger:
        """Return what was saved. All images that were missing have to be looked at anew.

        Raises OSError: there is no such file.
        Raises ValueError: the file holds something else.
        """
        kept: dict[str, Any] = json.loads(file.read_text())
        try:
            kept["missing"] = {
                path: Image(image["stored"], image["named_after_uid"], tries=image["tries"])
                for path, image in kept["missing"].items()
            }
            kept["never_findable"] = {
                path: NeverFindable(**each) for path, each in kept["never_findable"].items()
            }
            return cls(**kept)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{file} is not what the keeper has saved: {error!r}") from error

    def _forget_sample(self, path: str | None) -> None:
        if path is None:
            self.sample_is_sure = False
            return
        below = path.rstrip("/") + "/"
        for each in [each for each in self.sample if each == path or each.startswith(below)]:
            del self.sample[each]
