# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all three Dockerfiles promise, and the unpacking of Dicoogle's release archive."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from image_entry_points import DOCKER, image_environment

IMAGES = ("dicoogle", "nginx", "ghostunnel")


def instructions(image: str) -> list[tuple[str, str]]:
    """The Dockerfile's instructions, continued lines joined."""
    text = (DOCKER / image / "Dockerfile").read_text().replace("\\\n", " ")
    lines = (line.strip() for line in text.splitlines())
    return [
        (line.split(" ", 1)[0], line.split(" ", 1)[1].strip())
        for line in lines
        if line and not line.startswith("#")
    ]


def last(image: str, name: str) -> str:
    return [value for instruction, value in instructions(image) if instruction == name][-1]


@pytest.mark.parametrize("image", IMAGES)
class TestDockerfile:
    def test_the_base_is_one_exact_release_and_can_be_another(self, image: str) -> None:
        first, *others = instructions(image)
        assert first[0] == "ARG"
        assert re.fullmatch(r"BASE=[a-z/-]+:v?\d+\.\d+\.\d+\S*", first[1])
        stages = [value for name, value in others if name == "FROM"]
        assert {stage.split()[0] for stage in stages} == {"${BASE}"}

    def test_nobody_is_root_at_run_time(self, image: str) -> None:
        assert last(image, "USER") == "1001:1001"

    def test_the_entry_point_is_no_shell_line(self, image: str) -> None:
        assert json.loads(last(image, "ENTRYPOINT")) == ["/usr/local/bin/entrypoint"]

    def test_the_health_check_is_the_images_own(self, image: str) -> None:
        command = last(image, "HEALTHCHECK").split("CMD", 1)[1]
        assert json.loads(command)[0] == "/usr/local/bin/healthcheck"

    def test_every_folder_it_writes_can_be_an_empty_volume(self, image: str) -> None:
        volumes = json.loads(last(image, "VOLUME"))
        run = {"dicoogle": "/opt/dicoogle/run"}.get(image, f"/run/{image}")
        assert run in volumes
        assert any(n == "RUN" and "chown" in v and run in v for n, v in instructions(image))

    def test_secrets_have_no_default_and_are_no_build_argument(self, image: str) -> None:
        arguments = [value for name, value in instructions(image) if name == "ARG"]
        names = [*image_environment(image), *arguments]
        assert not [n for n in names if re.search("PASSWORD|HASH|KEY|CERT|SECRET", n)]

    def test_nothing_is_downloaded_but_a_missing_package(self, image: str) -> None:
        assert not [name for name, _unused in instructions(image) if name == "ADD"]
        commands = " ".join(value for name, value in instructions(image) if name == "RUN")
        assert not re.search(r"wget|curl +-|https?://|git clone|pip install", commands)

    def test_every_script_is_copied_from_the_folder(self, image: str) -> None:
        copied = {
            word
            for name, value in instructions(image)
            if name == "COPY" and not value.startswith("--from")
            for word in value.split()[:-1]
        }
        present = {path.name for path in (DOCKER / image).iterdir()} - {"Dockerfile"}
        assert copied - {"dicoogle.zip"} == present


@pytest.mark.skipif(
    shutil.which("unzip") is None, reason="unzip is not installed here (apt-get install unzip)"
)
class TestUnpack:
    @staticmethod
    def unpack(archive: Path, directory: Path) -> subprocess.CompletedProcess[str]:
        command = ["/bin/sh", str(DOCKER / "dicoogle" / "unpack.sh"), str(archive), str(directory)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @staticmethod
    def archive(tmp_path: Path, *names: str) -> Path:
        path = tmp_path / "dicoogle.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name in names:
                archive.writestr(name, name)
        return path

    def test_jar_and_plugins_arrive_without_the_version_in_their_path(self, tmp_path: Path) -> None:
        archive = self.archive(
            tmp_path,
            "Dicoogle_v3.5.1/dicoogle.jar",
            "Dicoogle_v3.5.1/README.md",
            "Dicoogle_v3.5.1/Plugins/lucene-3.5.0.jar",
            "Dicoogle_v3.5.1/Plugins/filestorage-3.5.0.jar",
        )
        assert self.unpack(archive, tmp_path / "opt").returncode == 0
        found = [path for path in (tmp_path / "opt").rglob("*") if path.is_file()]
        assert {str(path.relative_to(tmp_path / "opt")) for path in found} == {
            "dicoogle.jar",
            "Plugins/lucene-3.5.0.jar",
            "Plugins/filestorage-3.5.0.jar",
        }

    @pytest.mark.parametrize(
        ("names", "reason"),
        [
            (["dicoogle.jar", "Plugins/a.jar"], "one folder"),
            (["Dicoogle_v1/dicoogle.jar", "Dicoogle_v2/dicoogle.jar"], "one folder"),
            (["Dicoogle_v1/Dicoogle.jar", "Dicoogle_v1/Plugins/a.jar"], "dicoogle.jar is missing"),
            (["Dicoogle_v1/dicoogle.jar", "Dicoogle_v1/Plugins/README"], "holds no jar"),
        ],
    )
    def test_another_layout_stops_the_build_and_is_shown(
        self, tmp_path: Path, names: list[str], reason: str
    ) -> None:
        done = self.unpack(self.archive(tmp_path, *names), tmp_path / "opt")
        assert done.returncode == 1
        assert reason in done.stderr
        assert names[0] in done.stderr
        assert not (tmp_path / "opt").exists()

    def test_a_download_that_is_no_archive_stops_the_build(self, tmp_path: Path) -> None:
        page = tmp_path / "dicoogle.zip"
        page.write_text("<html>404</html>")
        assert self.unpack(page, tmp_path / "opt").returncode != 0


@pytest.mark.parametrize("image", IMAGES)
def test_the_readme_tells_each_setting_and_its_default(image: str) -> None:
    readme = (DOCKER / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|empty) \|", readme, re.MULTILINE))
    internal = re.compile("_HOME|_DATA|_RUN|_CONFIGURATION|LANG")
    settings = {k: v for k, v in image_environment(image).items() if not internal.search(k)}
    assert settings == {k: v for k, v in rows.items() if k.startswith(image.upper())}


@pytest.mark.parametrize("image", IMAGES)
def test_the_readme_names_the_base(image: str) -> None:
    base = instructions(image)[0][1].removeprefix("BASE=")
    assert f"| `{image}` | " in (readme := (DOCKER / "README.md").read_text())
    assert f"| `{base}` |" in readme
