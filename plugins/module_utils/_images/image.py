# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An image by what goes into it. Private to this collection.

Its content is a digest of the context's files (names, contents, executable bits), the Dockerfile's
name, the build arguments and the platform. The builder gets exactly these files, in a folder.
The tag is the content and, as what is built of it on another day can be newer, the build's number.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import Any

from ansible.module_utils import urls

from .._errors import ModuleError, using_files
from .._texts import plain_text
from .dockerignore import compile_ignore
from .repository import Repository, parse_repository

IGNORE_FILE = ".dockerignore"
EXECUTABLE, PLAIN = 0o755, 0o644  # all of a file's mode that is the same after any checkout


@dataclass(frozen=True)
class ContextFile:
    """A file of the build context.

    path: its name there, with slashes.
    source: where it is now; need not exist when sha256 or a URL was given.
    content: SHA-256 of the content, or for a link where it points to, or else the URL.
    url: where it comes from when it is needed and not at its source.
    """

    path: str
    source: Path
    mode: int
    content: str
    is_link: bool = False
    url: str | None = None


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
    def content(self) -> str:
        """SHA-256 of everything that goes into the image, hexadecimal."""
        content = {
            "dockerfile": self.dockerfile,
            "build_args": dict(self.build_args),
            "platform": self.platform,
            "files": [(file.path, file.mode, file.content, file.is_link) for file in self.files],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def tag_of(content: str, build: int) -> str:
    """Return the tag of a build, of which the first has the number 1."""
    return content if build == 1 else f"{content}-{build}"


def build_of(content: str, tag: str) -> int | None:
    """Return which build of the content has the tag, None for a tag of something else."""
    if tag == content:
        return 1
    number = tag.removeprefix(f"{content}-")
    return int(number) if number != tag and number.isdecimal() else None


def read_image(params: Mapping[str, Any]) -> Image:
    """Return the image that a module's parameters describe.

    Raises ModuleError when the context, its Dockerfile or an additional file is missing or cannot
    be read, or when an additional file would lie outside the context.
    """
    name = params["name"]
    advice = "Check the options context, dockerfile and files."
    with using_files(f"read what goes into the image {name}", advice):
        return _read_image(params)


def _read_image(params: Mapping[str, Any]) -> Image:
    name, context, dockerfile = params["name"], Path(params["context"]), params["dockerfile"]
    if not (context / dockerfile).is_file():
        raise ModuleError(
            f"The image {name} has no Dockerfile: there is no {context / dockerfile}. "
            "Check the options context and dockerfile."
        )
    files = {file.path: file for file in context_files(context, dockerfile)}
    links = {path for path, file in files.items() if file.is_link}
    for item in params["files"]:
        _refuse_outside(name, item["path"], links)
        files[item["path"]] = _additional_file(name, item)
    return Image(
        name=name,
        repository=parse_repository(params["repository"]),
        dockerfile=dockerfile,
        build_args={
            key: plain_text(f"The build argument {key} of the image {name}", value)
            for key, value in params["build_args"].items()
        },
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
        with using_files(f"copy {file.path} into the build context of the image {image.name}"):
            _write(image, file, folder / file.path)


def _write(image: Image, file: ContextFile, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if file.is_link:
        target.symlink_to(file.content)
    else:
        _copy(image, file, target)


def _copy(image: Image, file: ContextFile, target: Path) -> None:
    if not _is_kept(file):
        _download(image, file)
    shutil.copyfile(file.source, target)
    target.chmod(file.mode)
    _check_content(image, file, target, str(file.source))


def _is_kept(file: ContextFile) -> bool:
    """Tell whether a file need not be downloaded."""
    if not file.source.is_file():
        return False
    return file.url in (None, file.content) or file_digest(file.source) == file.content


def _download(image: Image, file: ContextFile) -> None:
    """Bring a file to its source, whole and only when it is the one that was expected."""
    if not file.url:
        raise ModuleError(
            f"The image {image.name} needs {file.path}, but there is no {file.source}. "
            "Download it first."
        )
    file.source.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.source.with_name(f"{file.source.name}.part")
    try:
        with part.open("wb") as stream, urls.open_url(file.url, timeout=30) as response:
            shutil.copyfileobj(response, stream)
        _check_content(image, file, part, file.url)
        part.replace(file.source)
    except (OSError, ValueError, HTTPException, urls.ConnectionError) as error:
        raise ModuleError(
            f"The image {image.name} needs {file.path}, but {file.url} cannot be downloaded: "
            f"{error}. Check the address and the network, or put the file at {file.source}."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _check_content(image: Image, file: ContextFile, copy: Path, origin: str) -> None:
    found = file_digest(copy)
    if file.content not in (found, file.url):
        raise ModuleError(
            f"The image {image.name} needs {file.path} with SHA-256 {file.content}, but "
            f"{origin} has {found}. Get the right file, or accept this one by its SHA-256."
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


def _refuse_outside(image: str, path: str, links: set[str]) -> None:
    """Refuse a file whose name leads out of the build context, by itself or through a link."""
    folders = {str(folder) for folder in PurePosixPath(path).parents}
    if {"", ".", ".."} & set(path.split("/")) or folders & links:
        raise ModuleError(
            f"The image {image} has the file '{path}', which would lie outside the build context. "
            "Give files[].path relative to the context, without . or .. and not below a link."
        )


def _additional_file(image: str, item: Mapping[str, Any]) -> ContextFile:
    path, source, url = item["path"], Path(item["src"]), item["url"]
    if content := (item["sha256"] or "").lower() or url:
        return ContextFile(path, source, PLAIN, content, url=url)
    if not source.is_file():
        raise ModuleError(
            f"The image {image} needs {path}, but there is no {source}. Download it first, "
            "or give its sha256 to find out whether the image exists without it."
        )
    return ContextFile(path, source, PLAIN, file_digest(source))
