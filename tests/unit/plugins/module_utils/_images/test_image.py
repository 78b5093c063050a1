# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._errors import ModuleError
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.image import (
    build_of,
    read_image,
    tag_of,
    write_context,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.repository import (
    Repository,
    parse_repository,
)

ARCHIVE = b"made-up release"


@pytest.fixture
def context(tmp_path: Path) -> Path:
    context = tmp_path / "context"
    (context / "conf").mkdir(parents=True)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (context / "conf" / "a.conf").write_text("a\n")
    (context / "entrypoint").write_text("#!/bin/sh\n")
    (context / "entrypoint").chmod(0o755)
    (context / "README.md").write_text("not in the image\n")
    (context / ".dockerignore").write_text("*.md\n")
    return context


@pytest.fixture
def params(context: Path) -> dict[str, Any]:
    return {
        "name": "nginx",
        "repository": "dicoogle/nginx",
        "context": str(context),
        "dockerfile": "Dockerfile",
        "build_args": {"BASE": "nginx:1.29"},
        "platform": "linux/amd64",
        "files": [],
    }


def written(params: dict[str, Any], folder: Path) -> dict[str, Path]:
    """The files that the builder gets, by their names in the context."""
    folder.mkdir()
    write_context(read_image(params), folder)
    return {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def with_release(
    params: dict[str, Any], source: Path, sha256: str | None, url: str | None = None
) -> dict[str, Any]:
    file = {"path": "release.zip", "src": str(source), "sha256": sha256, "url": url}
    return {**params, "files": [file]}


@pytest.mark.parametrize(
    "change",
    [
        lambda c, p: (c / "conf/a.conf").write_text("b\n"),
        lambda c, p: (c / "conf/a.conf").rename(c / "conf/b.conf"),
        lambda c, p: (c / "conf/a.conf").chmod(0o755),
        lambda c, p: (c / "new").write_text(""),
        lambda c, p: (c / "Dockerfile").write_text("FROM scratch\n"),
        lambda c, p: (c / ".dockerignore").write_text(""),
        lambda c, p: (c / "link").symlink_to("entrypoint"),
        lambda c, p: p["build_args"].update(BASE="nginx:1.30"),
        lambda c, p: p.update(platform="linux/arm64"),
    ],
)
def test_content_changes_with_everything_that_goes_in(
    context: Path, params: dict[str, Any], change: Callable[[Path, dict[str, Any]], Any]
) -> None:
    before = read_image(params).content
    change(context, params)
    assert read_image(params).content != before


@pytest.mark.parametrize(
    "change",
    [
        lambda c: (c / "README.md").write_text("still not in the image\n"),
        lambda c: (c / ".dockerignore").write_text("# only a comment more\n*.md\n"),
        lambda c: (c / "entrypoint").chmod(0o700),
        lambda c: os.utime(c / "entrypoint", (0, 0)),
        lambda c: (c / "empty").mkdir(),
    ],
)
def test_content_ignores_what_does_not_go_in(
    context: Path, params: dict[str, Any], change: Callable[[Path], Any]
) -> None:
    before = read_image(params).content
    change(context)
    assert read_image(params).content == before


def test_content_is_the_same_elsewhere_and_for_another_repository(
    context: Path, params: dict[str, Any]
) -> None:
    moved = {**params, "context": str(context.with_name("moved")), "repository": "other"}
    before = read_image(params).content
    context.rename(moved["context"])
    assert read_image(moved).content == before


def test_builder_gets_what_counts_with_plain_modes(
    context: Path, params: dict[str, Any], tmp_path: Path
) -> None:
    (context / "entrypoint").chmod(0o700)
    files = written(params, tmp_path / "build")
    modes = {name: oct(path.stat().st_mode & 0o777) for name, path in files.items()}
    assert modes == {"Dockerfile": "0o644", "conf/a.conf": "0o644", "entrypoint": "0o755"}
    assert files["conf/a.conf"].read_text() == "a\n"


def test_link_stays_a_link(context: Path, params: dict[str, Any], tmp_path: Path) -> None:
    (context / "link").symlink_to("conf")
    assert str(written(params, tmp_path / "build")["link"].readlink()) == "conf"


def test_ignored_dockerfile_still_counts(
    context: Path, params: dict[str, Any], tmp_path: Path
) -> None:
    (context / ".dockerignore").write_text("**\n")
    assert set(written(params, tmp_path / "build")) == {"Dockerfile"}


def test_missing_dockerfile_is_refused(params: dict[str, Any]) -> None:
    with pytest.raises(ModuleError, match=r"The image nginx has no Dockerfile: .*/Missing\."):
        read_image({**params, "dockerfile": "Missing"})


class TestAdditionalFiles:
    @pytest.fixture
    def release(self, tmp_path: Path) -> Path:
        release = tmp_path / "downloaded.zip"
        release.write_bytes(ARCHIVE)
        return release

    def test_file_joins_the_context(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        files = written(with_release(params, release, None), tmp_path / "build")
        assert files["release.zip"].read_bytes() == ARCHIVE

    def test_content_needs_the_digest_only(self, params: dict[str, Any], release: Path) -> None:
        with_file = read_image(with_release(params, release, None)).content
        release.unlink()
        sha256 = hashlib.sha256(ARCHIVE).hexdigest().upper()
        assert read_image(with_release(params, release, sha256)).content == with_file

    def test_file_without_digest_must_exist(self, params: dict[str, Any], release: Path) -> None:
        release.unlink()
        with pytest.raises(ModuleError, match=r"needs release\.zip, but there is no .*zip\."):
            read_image(with_release(params, release, None))

    def test_building_needs_the_file(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        release.unlink()
        with pytest.raises(ModuleError, match="Download it first"):
            written(with_release(params, release, "0" * 64), tmp_path / "build")

    def test_other_content_is_refused(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(ModuleError, match=r"needs release\.zip with SHA-256 0{64}, but .* has"):
            written(with_release(params, release, "0" * 64), tmp_path / "build")

    def test_what_is_not_there_is_downloaded_once_and_kept(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        kept, sha256 = tmp_path / "kept" / "release.zip", hashlib.sha256(ARCHIVE).hexdigest()
        wanted = with_release(params, kept, sha256, release.as_uri())
        assert read_image(wanted).content == read_image(with_release(params, kept, sha256)).content
        assert not kept.exists()
        files = written(wanted, tmp_path / "first")
        release.unlink()
        again = written(wanted, tmp_path / "second")
        assert files["release.zip"].read_bytes() == again["release.zip"].read_bytes() == ARCHIVE

    def test_another_file_that_was_kept_is_downloaded_again(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        kept, sha256 = tmp_path / "kept.zip", hashlib.sha256(ARCHIVE).hexdigest()
        kept.write_bytes(b"last year's")
        files = written(with_release(params, kept, sha256, release.as_uri()), tmp_path / "build")
        assert files["release.zip"].read_bytes() == kept.read_bytes() == ARCHIVE

    def test_a_download_of_something_else_is_not_kept(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept" / "release.zip"
        with pytest.raises(ModuleError, match=r"SHA-256 0{64}, but file://.* has"):
            written(with_release(params, kept, "0" * 64, release.as_uri()), tmp_path / "build")
        assert list(kept.parent.iterdir()) == []

    def test_a_failed_download_says_what_to_do(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        release.unlink()
        kept = tmp_path / "kept" / "release.zip"
        with pytest.raises(ModuleError, match=rf"cannot be downloaded: .* put the file at {kept}"):
            written(with_release(params, kept, None, release.as_uri()), tmp_path / "build")
        assert list(kept.parent.iterdir()) == []

    def test_without_a_digest_the_address_stands_for_the_content(
        self, params: dict[str, Any], release: Path, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept" / "release.zip"
        wanted = with_release(params, kept, None, release.as_uri())
        before = read_image(wanted).content
        written(wanted, tmp_path / "build")
        assert read_image(wanted).content == before
        assert read_image(with_release(params, kept, None, "file:///other")).content != before

    @pytest.mark.parametrize("path", ["..a", "a..", "conf/b", "conf/.b"])
    def test_a_name_with_dots_is_a_name(
        self, params: dict[str, Any], release: Path, tmp_path: Path, path: str
    ) -> None:
        file = {"path": path, "src": str(release), "sha256": None, "url": None}
        assert path in written({**params, "files": [file]}, tmp_path / "build")


@pytest.mark.parametrize(
    ("tag", "build"),
    [("abc", 1), ("abc-2", 2), ("abc-12", 12), ("abcd", None), ("abc-", None), ("abc-x", None)],
)
def test_each_build_of_a_content_has_a_tag_of_its_own(tag: str, build: int | None) -> None:
    assert build_of("abc", tag) == build
    assert build is None or tag_of("abc", build) == tag


@pytest.mark.parametrize(
    ("given", "name", "account"),
    [
        ("nginx", "nginx", None),
        ("dicoogle/nginx", "dicoogle/nginx", None),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/a/b", "a/b", "123456789012"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/b", "b", "123456789012"),
    ],
)
def test_repository_is_a_name_or_a_uri(given: str, name: str, account: str | None) -> None:
    assert parse_repository(given) == Repository(given, name, account)
