# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An image by what goes into it. Private to this collection.

The tag is a digest of the context's files (names, contents, executable bits), the Dockerfile's
name, the build arguments and the platform. The builder gets exactly these files, in a folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.openpacs.dicoogle.plugins.module_utils._aws import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._ecr.dockerignore import (
    compile_ignore,
)

IGNORE_FILE = ".dockerignore"
EXECUTABLE, PLAIN = 0o755, 0o644  # all of a file's mode that is the same after any checkout
REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr[.-]ecr\.[^/]+")


@dataclass(frozen=True)
class Repository:
    """A repository of ECR.

    given: as the user wrote it, a name or a URI.
    account: the registry's ID, None where only a name was given.
    """

    given: str
    name: str
    account: str | None


@dataclass(frozen=True)
class ContextFile:
    """A file of the build context.

    path: its name there, with slashes.
    source: where it is now; need not exist when sha256 was given.
    content: SHA-256 of the content, or for a link where it points to.
    """

    path: str
    source: Path
    mode: int
    content: str
    is_link: bool = False


@dataclass(frozen=True)
class Image:
    """An image to be: what goes into it and where it goes."""

    name: str
    repository: Repository
    dockerfile: str
    build_args: Mapping[str, str]
    platform: str
    files: tuple[ContextFile, ...]

    @property
    def tag(self) -> str:
        """SHA-256 of everything that goes into the image, hexadecimal."""
        content = {
            "dockerfile": self.dockerfile,
            "build_args": dict(self.build_args),
            "platform": self.platform,
            "files": [(file.path, file.mode, file.content, file.is_link) for file in self.files],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def parse_repository(given: str) -> Repository:
    """Return the repository that a name or a URI means."""
    registry, name = given.partition("/")[::2]
    match = REGISTRY.fullmatch(registry)
    return Repository(given, name, match["account"]) if match else Repository(given, given, None)


def read_image(params: Mapping[str, Any]) -> Image:
    """Return the image that a module's parameters describe.

    Raises ModuleError when the context, its Dockerfile or an additional file is missing.
    """
    name, context, dockerfile = params["name"], Path(params["context"]), params["dockerfile"]
    if not (context / dockerfile).is_file():
        raise ModuleError(
            f"The image {name} has no Dockerfile: there is no {context / dockerfile}. "
            "Check the options context and dockerfile."
        )
    files = {file.path: file for file in context_files(context, dockerfile)}
    files.update({item["path"]: _additional_file(name, item) for item in params["files"]})
    return Image(
        name=name,
        repository=parse_repository(params["repository"]),
        dockerfile=dockerfile,
        build_args={key: str(value) for key, value in params["build_args"].items()},
        platform=params["platform"],
        files=tuple(files[path] for path in sorted(files)),
    )


def context_files(context: Path, dockerfile: str) -> list[ContextFile]:
    """Return the files of a context that .dockerignore leaves; the Dockerfile always counts."""
    ignore_file = context / IGNORE_FILE
    ignored = compile_ignore(ignore_file.read_text() if ignore_file.is_file() else "")
    return [
        _context_file(context, path)
        for path in _paths(context)
        if path == dockerfile or not (path == IGNORE_FILE or ignored(path))
    ]


def write_context(image: Image, folder: Path) -> None:
    """Write what goes into the image, and nothing else, to an empty folder.

    Raises ModuleError when an additional file is missing or is not the one that was expected.
    """
    for file in image.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        if file.is_link:
            target.symlink_to(file.content)
        else:
            _copy(image, file, target)


def _copy(image: Image, file: ContextFile, target: Path) -> None:
    if not file.source.is_file():
        raise ModuleError(
            f"The image {image.name} needs {file.path}, but there is no {file.source}. "
            "Download it first."
        )
    shutil.copyfile(file.source, target)
    target.chmod(file.mode)
    found = file_digest(target)
    if found != file.content:
        raise ModuleError(
            f"The image {image.name} needs {file.path} with SHA-256 {file.content}, but "
            f"{file.source} has {found}. Get the right file, or accept this one by its SHA-256."
        )


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _paths(context: Path) -> list[str]:
    """Return files and links to files or folders below a folder; links are not followed."""
    found = []
    for folder, folders, files in os.walk(context):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        found += [Path(folder, name).relative_to(context).as_posix() for name in files + links]
    return found


def _context_file(context: Path, path: str) -> ContextFile:
    source = context / path
    if source.is_symlink():
        return ContextFile(path, source, 0o777, os.readlink(source), is_link=True)
    mode = EXECUTABLE if source.stat().st_mode & 0o100 else PLAIN
    return ContextFile(path, source, mode, file_digest(source))


def _additional_file(image: str, item: Mapping[str, Any]) -> ContextFile:
    source = Path(item["src"])
    if item["sha256"]:
        return ContextFile(item["path"], source, PLAIN, item["sha256"].lower())
    if not source.is_file():
        raise ModuleError(
            f"The image {image} needs {item['path']}, but there is no {source}. Download it first, "
            "or give its sha256 to find out whether the image exists without it."
        )
    return ContextFile(item["path"], source, PLAIN, file_digest(source))
