# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all three Dockerfiles promise, and the unpacking of Dicoogle's release archive."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._images.image import context_files
from support.image_entry_points import DOCKER, image_environment

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
        reaper = ["tini", "--"] if image == "dicoogle" else []
        assert json.loads(last(image, "ENTRYPOINT")) == [*reaper, "/usr/local/bin/entrypoint"]

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
        files = context_files(DOCKER / image, "Dockerfile")
        present = {file.path.split("/")[0] for file in files} - {"Dockerfile"}
        assert copied - {"dicoogle.zip", "sbom.sh"} == present


def test_what_running_the_keeper_leaves_behind_makes_no_other_image(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(DOCKER / "dicoogle", tmp_path / "dicoogle"))
    before = [file.path for file in context_files(folder, "Dockerfile")]
    for left in (".mypy_cache", ".ruff_cache", "keeper/__pycache__"):
        (folder / left).mkdir(parents=True, exist_ok=True)
        (folder / left / "left").touch()
    assert [file.path for file in context_files(folder, "Dockerfile")] == before


@pytest.mark.skipif(
    shutil.which("unzip") is None, reason="unzip is not installed here (apt-get install unzip)"
)
class TestUnpack:
    @staticmethod
    def unpack(
        context: Path, directory: Path, version: str = "3.5.1"
    ) -> subprocess.CompletedProcess[str]:
        script = str(DOCKER / "dicoogle" / "unpack.sh")
        command = ["/bin/sh", script, str(context), version, str(directory)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    @pytest.fixture
    def context(self, tmp_path: Path) -> Path:
        """What the image `dicoogle` is built from, without the archive."""
        made = tmp_path / "context"
        (made / "plugins").mkdir(parents=True)
        shutil.copy(DOCKER / "dicoogle" / "versions.txt", made)
        return made

    @staticmethod
    def archive(context: Path, *names: str) -> None:
        with zipfile.ZipFile(context / "dicoogle.zip", "w") as archive:
            for name in names:
                archive.writestr(name, name)

    RELEASE = (
        "Dicoogle_v3.5.1/dicoogle.jar",
        "Dicoogle_v3.5.1/README.md",
        "Dicoogle_v3.5.1/Plugins/lucene-3.5.0.jar",
        "Dicoogle_v3.5.1/Plugins/filestorage-3.5.0.jar",
    )

    def test_jar_and_plugins_arrive_without_the_version_in_their_path(
        self, context: Path, tmp_path: Path
    ) -> None:
        self.archive(context, *self.RELEASE)
        assert self.unpack(context, tmp_path / "opt").returncode == 0
        found = [path for path in (tmp_path / "opt").rglob("*") if path.is_file()]
        assert {str(path.relative_to(tmp_path / "opt")) for path in found} == {
            "dicoogle.jar",
            "Plugins/lucene-3.5.0.jar",
            "Plugins/filestorage-3.5.0.jar",
            "version",
            "parts.txt",
        }

    def test_further_plugins_arrive_with_their_settings(
        self, context: Path, tmp_path: Path
    ) -> None:
        self.archive(context, *self.RELEASE)
        (context / "plugins" / "dicomweb.jar").write_text("jar")
        (context / "plugins" / "lucene-3.5.0.jar").write_text("mended")
        (context / "plugins" / "settings").mkdir()
        (context / "plugins" / "settings" / "dicomweb.xml").write_text("settings")
        assert self.unpack(context, tmp_path / "opt").returncode == 0
        plugins = tmp_path / "opt" / "Plugins"
        assert (plugins / "dicomweb.jar").read_text() == "jar"
        assert (plugins / "lucene-3.5.0.jar").read_text() == "mended"
        assert (plugins / "settings" / "dicomweb.xml").read_text() == "settings"

    def test_what_is_known_of_the_version_arrives(self, context: Path, tmp_path: Path) -> None:
        self.archive(context, *self.RELEASE)
        (context / "versions.txt").write_text("3.5.1.1 b\n3x5.1 c\n3.5.1 a d\n")
        assert self.unpack(context, tmp_path / "opt").returncode == 0
        assert (tmp_path / "opt" / "version").read_text() == "3.5.1 a d\n"

    def test_what_the_jars_are_made_of_is_listed(self, context: Path, tmp_path: Path) -> None:
        jetty = "#made\r\nversion=9.0.3.v20130506\r\ngroupId=org.eclipse.jetty\r\n"
        jetty += "artifactId=jetty-server\r\n"
        strange = 'groupId=a\nartifactId="},\nversion=1\n'
        with zipfile.ZipFile(tmp_path / "jar", "w") as jar:
            jar.writestr("META-INF/maven/org.eclipse.jetty/jetty-server/pom.properties", jetty)
            jar.writestr("META-INF/maven/a/strange/pom.properties", strange)
        with zipfile.ZipFile(context / "dicoogle.zip", "w") as archive:
            archive.write(tmp_path / "jar", self.RELEASE[0])
            archive.writestr(self.RELEASE[2], "no archive")
        assert self.unpack(context, tmp_path / "opt").returncode == 0
        digests = {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in {
                "dicoogle": context / "dicoogle.zip",
                "dicoogle.jar": tmp_path / "jar",
                "plugin": tmp_path / "opt/Plugins/lucene-3.5.0.jar",
            }.items()
        }
        assert (tmp_path / "opt" / "parts.txt").read_text().splitlines() == [
            f"- dicoogle 3.5.1 {digests['dicoogle']}",
            f"- dicoogle.jar - {digests['dicoogle.jar']}",
            "org.eclipse.jetty jetty-server 9.0.3.v20130506 -",
            f"- Plugins/lucene-3.5.0.jar - {digests['plugin']}",
        ]

    @pytest.mark.parametrize("version", ["3.5", "3.5.2", "3x5.1", "hostname", ""])
    def test_an_unknown_version_stops_the_build_and_the_known_ones_are_named(
        self, context: Path, tmp_path: Path, version: str
    ) -> None:
        self.archive(context, *self.RELEASE)
        done = self.unpack(context, tmp_path / "opt", version)
        assert done.returncode == 1
        assert f"'{version}' is not known" in done.stderr
        assert {"3.4.1", "3.5.1"} <= set(done.stderr.split())
        assert not (tmp_path / "opt").exists()

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
        self, context: Path, tmp_path: Path, names: list[str], reason: str
    ) -> None:
        self.archive(context, *names)
        done = self.unpack(context, tmp_path / "opt")
        assert done.returncode == 1
        assert reason in done.stderr
        assert names[0] in done.stderr
        assert not (tmp_path / "opt").exists()

    def test_a_download_that_is_no_archive_stops_the_build(
        self, context: Path, tmp_path: Path
    ) -> None:
        (context / "dicoogle.zip").write_text("<html>404</html>")
        assert self.unpack(context, tmp_path / "opt").returncode != 0


@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="this is no Debian: no dpkg-query")
def test_the_list_of_parts_has_packages_and_jars(tmp_path: Path) -> None:
    digest = "0" * 64
    parts = tmp_path / "parts.txt"
    parts.write_text(f"- dicoogle.jar - {digest}\norg.eclipse.jetty jetty-server 9.0.3+a -\n")
    command = ["/bin/sh", str(DOCKER / "sbom.sh"), "nginx", "nginx:1@sha256:0", str(parts)]
    sbom = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.5")
    assert sbom["metadata"]["component"] == {"type": "container", "name": "nginx"}
    assert {"name": "openpacs:base", "value": "nginx:1@sha256:0"} in sbom["metadata"]["properties"]
    *packages, jar, jetty = sbom["components"]
    query = ["dpkg-query", "-W", "-f", "${Version}", "dpkg"]
    version = subprocess.run(query, capture_output=True, text=True, check=True).stdout
    (dpkg,) = [each for each in packages if each["name"] == "dpkg"]
    assert dpkg["version"] == version
    assert re.match(r"pkg:deb/[a-z]+/dpkg@[^+:]+\?arch=\w+&distro=\w*$", dpkg["purl"])
    assert jar["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert jetty["purl"] == "pkg:maven/org.eclipse.jetty/jetty-server@9.0.3%2Ba"


@pytest.mark.parametrize("image", IMAGES)
def test_the_readme_tells_each_setting_and_its_default(image: str) -> None:
    readme = (DOCKER / "README.md").read_text()
    (section,) = re.findall(rf"^## {image}$(.*?)(?=^## |\Z)", readme, re.I | re.M | re.S)
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|empty) \|", section, re.MULTILINE))
    internal = re.compile("_HOME|_DATA|_RUN|_CONFIGURATION|LANG")
    settings = {k: v for k, v in image_environment(image).items() if not internal.search(k)}
    assert settings == rows


@pytest.mark.parametrize("image", IMAGES)
def test_the_readme_names_the_base(image: str) -> None:
    base = instructions(image)[0][1].removeprefix("BASE=")
    assert f"| `{image}` | " in (readme := (DOCKER / "README.md").read_text())
    assert f"| `{base}` |" in readme
