# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the entry point of the image `dicoogle` makes of its settings."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from pydicom.uid import UID
from pynetdicom.presentation import AllStoragePresentationContexts
from support.image_entry_points import DOCKER, HASH, Container

OTHER_HASH = HASH.replace("a", "z")


def known_version(number: str) -> str:
    """What is known of a version of Dicoogle."""
    lines = (DOCKER / "dicoogle" / "versions.txt").read_text().splitlines()
    return next(line for line in lines if line.split()[0] == number)


@pytest.fixture
def make_dicoogle(container: Callable[..., Container]) -> Callable[..., Container]:
    """Make a container as the image and its volumes would, of any version of Dicoogle."""

    def make(version: str = "3.5.1", data: Path | None = None) -> Container:
        made = container("dicoogle", "python3", DICOOGLE_ADMIN_PASSWORD_HASH=HASH)
        home = made.root / "home"
        data = data or made.root / "data"
        for directory in (home / "run", home / "Plugins"):
            directory.mkdir(parents=True)
        for directory in (data / "images", data / "index", data / "confs"):
            directory.mkdir(parents=True, exist_ok=True)
        for name in ("configuration.sh", "sop-classes.txt", "transfer-syntaxes.txt", "log4j2.xml"):
            shutil.copy(DOCKER / "dicoogle" / name, home)
        (home / "version").write_text(f"{known_version(version)}\n")
        for jar in ("dicoogle.jar", "Plugins/lucene-0.9.jar", "Plugins/some-storage.jar"):
            (home / jar).write_text(jar)
        made.settings |= {
            "DICOOGLE_HOME": str(home),
            "DICOOGLE_DATA": str(data),
            "DICOOGLE_IMPORT_DIRECTORY": str(data / "images" / "froms3"),
        }
        return made

    return make


@pytest.fixture
def dicoogle(make_dicoogle: Callable[..., Container]) -> Container:
    """A container of the newest version."""
    return make_dicoogle()


def rendered(container: Container, path: str, **settings: str) -> ElementTree.Element:
    """A file in Dicoogle's working directory after a start with these settings."""
    started = container.start(**settings)
    cwd = Path(started.child()["cwd"])
    started.stop()
    return ElementTree.parse(cwd / path).getroot()


def server(container: Container, **settings: str) -> ElementTree.Element:
    return rendered(container, "confs/server.xml", **settings)


def texts(root: ElementTree.Element, path: str) -> list[str | None]:
    return [element.text for element in root.findall(path)]


def storage_class_names() -> dict[str, str]:
    lines = (DOCKER / "dicoogle" / "sop-classes.txt").read_text().splitlines()
    return dict(line.split(" ") for line in lines)


class TestProcess:
    def test_the_keeper_takes_the_place_of_the_entry_point(self, dicoogle: Container) -> None:
        started = dicoogle.start()
        assert started.child()["pid"] == started.process.pid

    def test_a_stop_reaches_the_keeper(self, dicoogle: Container) -> None:
        started = dicoogle.start()
        started.child()
        assert started.stop() == 7

    def test_java_is_told_to_start_the_server_without_a_screen(self, dicoogle: Container) -> None:
        home = dicoogle.settings["DICOOGLE_HOME"]
        argv = dicoogle.start().child()["argv"]
        assert argv[:4] == ["-P", "-m", "keeper", "java"]
        assert argv[-3:] == ["-jar", f"{home}/dicoogle.jar", "-s"]
        assert {
            "-Djava.awt.headless=true",
            "-Ddicoogle.deadPluginKillSwitch=true",
            "-Ddicoogle.cstore.maxScpAssociations=20",
            "-XX:MaxRAMPercentage=45",
            f"-Dlog4j.configurationFile={home}/log4j2.xml",
        } <= set(argv)

    def test_the_keeper_is_the_images_own_whatever_lies_in_its_working_directory(
        self, dicoogle: Container
    ) -> None:
        environment = dicoogle.start().child()["environ"]
        assert environment["PYTHONPATH"] == dicoogle.settings["DICOOGLE_HOME"]

    def test_the_secret_is_in_neither_environment_nor_arguments(self, dicoogle: Container) -> None:
        child = dicoogle.start().child()
        assert HASH not in [*child["environ"].values(), *child["argv"]]

    def test_what_is_written_is_for_its_user_only(self, dicoogle: Container) -> None:
        cwd = Path(dicoogle.start().child()["cwd"])
        files = [cwd / "users.xml", cwd / "confs/server.xml", *cwd.glob("Plugins/**/*.xml")]
        assert len(files) == 4
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}

    def test_further_plugins_bring_their_settings_but_not_those_of_index_and_storage(
        self, dicoogle: Container
    ) -> None:
        settings = Path(dicoogle.settings["DICOOGLE_HOME"]) / "Plugins" / "settings"
        settings.mkdir()
        for name in ("dicomweb.xml", "luceneset.xml"):
            (settings / name).write_text("<given/>")
        rendered = Path(dicoogle.start().child()["cwd"]) / "Plugins" / "settings"
        assert (rendered / "dicomweb.xml").read_text() == "<given/>"
        assert "<indexer>" in (rendered / "luceneset.xml").read_text()

    def test_every_plugin_of_the_release_is_there_whatever_its_name(
        self, dicoogle: Container
    ) -> None:
        cwd = Path(dicoogle.start().child()["cwd"])
        assert {path.name for path in (cwd / "Plugins").glob("*.jar")} == {
            "lucene-0.9.jar",
            "some-storage.jar",
        }

    def test_a_restart_forgets_plugins_and_settings_of_the_last_start(
        self, dicoogle: Container
    ) -> None:
        first = dicoogle.start()
        plugins = Path(first.child()["cwd"]) / "Plugins"
        (plugins / "lucene-0.8.jar").write_text("old")
        first.stop()
        dicoogle.start().child()
        assert not (plugins / "lucene-0.8.jar").exists()

    def test_logs_go_to_the_console_and_the_journal_and_to_no_other_file(self) -> None:
        root = ElementTree.parse(DOCKER / "dicoogle" / "log4j2.xml").getroot()
        appenders = list(root.find("Appenders") or [])
        assert {appender.get("fileName") for appender in appenders} == {
            None,
            "${journal}/journal.log",
            "/dev/full",
        }
        assert [a.tag for a in appenders if not a.get("fileName")] == ["Console"]

    def test_names_of_patients_in_queries_are_in_no_log(self) -> None:
        root = ElementTree.parse(DOCKER / "dicoogle" / "log4j2.xml").getroot()
        levels = {logger.get("name"): logger.get("level") for logger in root.iter("Logger")}
        assert levels["dicoogle.lucene.LuceneQuery"] == "off"
        assert levels["pt.ua.dicoogle.server.SearchDicomResult"] == "warn"
        assert levels["pt.ua.dicoogle.DicomLog.LogDICOM"] == "warn"

    def test_a_volume_that_is_missing_is_named(self, dicoogle: Container) -> None:
        images = Path(dicoogle.settings["DICOOGLE_DATA"]) / "images"
        images.rmdir()
        assert str(images) in dicoogle.refusal()


class TestServerXml:
    def test_paths_and_services(self, dicoogle: Container) -> None:
        root = server(dicoogle)
        data = dicoogle.settings["DICOOGLE_DATA"]
        assert {path: root.findtext(path) for path in (
            "archive/save-thumbnails",
            "archive/dim-providers/dim-provider",
            "archive/default-storages/default-storage",
            "archive/enable-watch-directory",
            "archive/encrypt-users-file",
            "archive/use-iio-registry",
            "archive/main-directory",
            "archive/node-name",
            "archive/call-shutdown",
            "dicom-services/aetitle",
            "dicom-services/storage/save-ae-titles",
        )} == {
            "archive/save-thumbnails": "false",
            "archive/dim-providers/dim-provider": "lucene",
            "archive/default-storages/default-storage": "file-storage",
            "archive/enable-watch-directory": "false",
            "archive/encrypt-users-file": "false",
            "archive/use-iio-registry": "false",
            "archive/main-directory": f"{data}/images",
            "archive/node-name": "DICOOGLE-STORAGE",
            "archive/call-shutdown": "true",
            "dicom-services/aetitle": "DICOOGLE-STORAGE",
            "dicom-services/storage/save-ae-titles": "true",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("path", "port"),
        [
            ("web-server", "8080"),
            ("dicom-services/storage", "6666"),
            ("dicom-services/query-retrieve", "1045"),
        ],
    )
    def test_each_service_listens_on_loopback(
        self, dicoogle: Container, path: str, port: str
    ) -> None:
        element = server(dicoogle).find(path)
        assert element is not None
        assert element.attrib == {"autostart": "true", "port": port, "hostname": "127.0.0.1"}

    def test_ports_and_address_can_be_others(self, dicoogle: Container) -> None:
        root = server(
            dicoogle,
            DICOOGLE_HOST="0.0.0.0",
            DICOOGLE_WEB_PORT="18080",
            DICOOGLE_STORAGE_PORT="11112",
            DICOOGLE_QUERY_PORT="11113",
        )
        paths = ("web-server", "dicom-services/storage", "dicom-services/query-retrieve")
        services = [root.find(path) for path in paths]
        assert [(s.get("port"), s.get("hostname")) for s in services if s is not None] == [
            ("18080", "0.0.0.0"),
            ("11112", "0.0.0.0"),
            ("11113", "0.0.0.0"),
        ]

    def test_older_dicoogle_gets_no_element_that_stops_it(
        self, make_dicoogle: Callable[..., Container]
    ) -> None:
        root = server(make_dicoogle("3.4.1"))
        tags = {element.tag for element in root.iter()}
        assert not tags & {"save-ae-titles", "use-iio-registry"}
        assert not [element for element in root.iter() if "hostname" in element.attrib]
        web = root.find("web-server")
        assert web is not None
        assert web.attrib == {"autostart": "true", "port": "8080"}

    def test_timeouts_are_milliseconds(self, dicoogle: Container) -> None:
        query = server(dicoogle).find("dicom-services/query-retrieve")
        assert query is not None
        timeouts = {e.tag: int(e.text or "") for e in query if e.tag.endswith("timeout")}
        assert timeouts == {
            "dimse-rsp-timeout": 300_000,
            "idle-timeout": 300_000,
            "accept-timeout": 10_000,
            "connection-timeout": 10_000,
        }

    def test_every_storage_class_is_accepted_by_default(self, dicoogle: Container) -> None:
        accepted = texts(server(dicoogle), "dicom-services/sop-classes/sop-class/uid")
        known = {str(context.abstract_syntax) for context in AllStoragePresentationContexts}
        assert known <= set(accepted)
        assert "1.2.840.10008.5.1.4.1.1.6" in accepted, "retired ultrasound is still sent"
        assert len(accepted) == len(set(accepted))

    def test_classes_that_dicoogle_was_not_built_with_are_declared(
        self, dicoogle: Container
    ) -> None:
        root = server(dicoogle)
        declared = root.findall("dicom-services/additional-sop-classes/additional-sop-class")
        assert {e.get("uid"): e.get("alias") for e in declared} == storage_class_names()
        assert "1.2.840.10008.5.1.4.1.1.9.1.1" in storage_class_names(), "12-lead ECG"

    def test_accepted_classes_can_be_named(self, dicoogle: Container) -> None:
        root = server(
            dicoogle, DICOOGLE_SOP_CLASSES="1.2.840.10008.5.1.4.1.1.2, 1.2.840.113619.4.26"
        )
        assert texts(root, "dicom-services/sop-classes/sop-class/uid") == [
            "1.2.840.10008.5.1.4.1.1.2",
            "1.2.840.113619.4.26",
        ]
        declared = root.findall("dicom-services/additional-sop-classes/additional-sop-class")
        assert [(e.get("uid"), e.get("alias")) for e in declared] == [
            ("1.2.840.10008.5.1.4.1.1.2", "CTImageStorage"),
            ("1.2.840.113619.4.26", "1.2.840.113619.4.26"),
        ]

    def test_plain_and_compressed_transfer_syntaxes_are_accepted(self, dicoogle: Container) -> None:
        accepted = texts(server(dicoogle), "dicom-services/default-ts/ts")
        base = "1.2.840.10008.1.2"
        assert {base, f"{base}.1", f"{base}.4.50", f"{base}.4.70", f"{base}.4.90", f"{base}.5"} < (
            set(accepted)
        )
        assert len(accepted) == len(set(accepted)) == 28

    @pytest.mark.parametrize("version", ["3.4.1", "3.5.1"])
    def test_syntaxes_that_dicoogle_was_not_built_with_are_accepted_and_declared(
        self, make_dicoogle: Callable[..., Container], version: str
    ) -> None:
        root = server(make_dicoogle(version))
        declared = root.findall(
            "dicom-services/additional-transfer-syntaxes/additional-transfer-syntax"
        )
        video, jpeg_xl, htj2k = range(101, 109), range(110, 113), range(201, 204)
        new = [f"1.2.840.10008.1.2.4.{end}" for end in (*video, *jpeg_xl, *htj2k)]
        assert [element.get("uid") for element in declared] == new
        assert set(new) < set(texts(root, "dicom-services/default-ts/ts"))
        for element in declared:
            name = UID(element.attrib["uid"]).keyword
            assert element.attrib["alias"] == name or not name
            assert element.attrib.keys() == {"uid", "alias"}, "the rest is right by default"

    def test_all_calling_ae_titles_are_allowed_by_leaving_the_element_out(
        self, dicoogle: Container
    ) -> None:
        assert texts(server(dicoogle), "dicom-services/allowed-aetitles") == []

    def test_one_calling_ae_title_can_be_allowed(self, dicoogle: Container) -> None:
        root = server(dicoogle, DICOOGLE_ALLOWED_AE_TITLES="R&D <1>")
        assert texts(root, "dicom-services/allowed-aetitles") == ["R&D <1>"]

    def test_move_destinations(self, dicoogle: Container) -> None:
        root = server(
            dicoogle, DICOOGLE_MOVE_DESTINATIONS="STORE=127.0.0.1:17777, A=B=pacs.example.com:104"
        )
        found = root.findall("dicom-services/move-destinations/move-destination")
        assert [(e.get("aetitle"), e.get("address"), e.get("port")) for e in found] == [
            ("STORE", "127.0.0.1", "17777"),
            ("A=B", "pacs.example.com", "104"),
        ]

    def test_no_move_destination_is_an_element_without_a_blank(self, dicoogle: Container) -> None:
        element = server(dicoogle).find("dicom-services/move-destinations")
        assert element is not None
        assert (list(element), element.text) == ([], None)

    def test_import_can_be_off(self, dicoogle: Container) -> None:
        started = dicoogle.start(DICOOGLE_IMPORT_DIRECTORY="")
        assert started.child()["environ"]["DICOOGLE_IMPORT_DIRECTORY"] == ""

    def test_values_are_escaped(self, dicoogle: Container) -> None:
        root = server(
            dicoogle,
            DICOOGLE_AE_TITLE='<"R&D">',
            DICOOGLE_MOVE_DESTINATIONS='"&<>=localhost:104',
        )
        assert root.findtext("dicom-services/aetitle") == '<"R&D">'
        destination = root.find("dicom-services/move-destinations/move-destination")
        assert destination is not None
        assert destination.get("aetitle") == '"&<>'


class TestPluginSettings:
    def test_the_index_path_ends_in_a_slash(self, dicoogle: Container) -> None:
        root = rendered(dicoogle, "Plugins/settings/luceneset.xml")
        assert root.findtext("indexer/path") == f"{dicoogle.settings['DICOOGLE_DATA']}/index/"
        assert root.findtext("indexer/enabled") == "true"

    def test_images_are_stored_under_absolute_paths_on_the_volume(
        self, dicoogle: Container
    ) -> None:
        root = rendered(dicoogle, "Plugins/settings/file-storage.xml")
        assert {element.tag: element.text for element in root} == {
            "root-dir": f"{dicoogle.settings['DICOOGLE_DATA']}/images",
            "use-relative-path": "false",
            "scheme": "file",
            "enabled": "true",
        }


class TestUsers:
    @staticmethod
    def users(container: Container) -> dict[str, dict[str, str]]:
        root = rendered(container, "users.xml")
        return {user.attrib["username"]: user.attrib for user in root.findall("user")}

    def test_the_only_user_of_a_new_archive_is_the_administrator(self, dicoogle: Container) -> None:
        assert self.users(dicoogle) == {
            "admin": {"username": "admin", "hash": HASH, "admin": "true"}
        }

    def test_users_are_in_the_working_directory_which_is_on_the_volume(
        self, dicoogle: Container
    ) -> None:
        cwd = dicoogle.start().child()["cwd"]
        assert cwd == f"{dicoogle.settings['DICOOGLE_DATA']}/confs"
        assert (Path(cwd) / "users.xml").is_file()
        assert not (Path(cwd) / "users.xml").is_symlink(), "Dicoogle would replace the link"

    def test_other_users_stay_and_the_administrator_has_the_secrets_password(
        self, dicoogle: Container
    ) -> None:
        state = Path(dicoogle.settings["DICOOGLE_DATA"]) / "confs"
        (state / "users.xml").write_text(
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Users>\n'
            f'    <user username="admin" hash="{OTHER_HASH}" admin="false"/>\n'
            f'    <user username="o\'b&quot;r&lt;&amp;" hash="{OTHER_HASH}" roles="r1,r2" '
            'admin="true"/>\n'
            f'    <user username="admin2" hash="{OTHER_HASH}" admin="false"></user>\n</Users>\n'
        )
        assert self.users(dicoogle) == {
            "admin": {"username": "admin", "hash": HASH, "admin": "true"},
            "o'b\"r<&": {
                "username": "o'b\"r<&",
                "hash": OTHER_HASH,
                "roles": "r1,r2",
                "admin": "true",
            },
            "admin2": {"username": "admin2", "hash": OTHER_HASH, "admin": "false"},
        }

    def test_users_survive_restarts(self, dicoogle: Container) -> None:
        once = self.users(dicoogle)
        assert self.users(dicoogle) == once

    def test_a_file_cut_off_in_the_middle_loses_nothing_that_is_whole(
        self, dicoogle: Container
    ) -> None:
        state = Path(dicoogle.settings["DICOOGLE_DATA"]) / "confs"
        damaged = f'<Users>\n <user username="a" hash="{OTHER_HASH}" admin="true"/>\n <user usern'
        (state / "users.xml").write_text(damaged)
        assert set(self.users(dicoogle)) == {"admin", "a"}
        assert (state / "users.xml.damaged").read_text() == damaged


class TestSecondWriter:
    def test_it_is_refused_before_it_touches_anything(
        self, dicoogle: Container, make_dicoogle: Callable[..., Container]
    ) -> None:
        data = Path(dicoogle.settings["DICOOGLE_DATA"])
        dicoogle.start().child()
        users = (data / "confs" / "users.xml").stat().st_mtime_ns
        second = make_dicoogle(data=data)
        assert "belongs to another Dicoogle" in second.refusal()
        assert (data / "confs" / "users.xml").stat().st_mtime_ns == users

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
    def test_the_index_is_free_when_the_first_is_gone(
        self, dicoogle: Container, make_dicoogle: Callable[..., Container], how: signal.Signals
    ) -> None:
        first = dicoogle.start()
        first.child()
        first.process.send_signal(how)
        first.process.wait(timeout=60)
        make_dicoogle(data=Path(dicoogle.settings["DICOOGLE_DATA"])).start().child()


class TestRefusals:
    @pytest.mark.parametrize(
        ("setting", "value", "reason"),
        [
            ("DICOOGLE_AE_TITLE", "", "not a valid AE title"),
            ("DICOOGLE_AE_TITLE", "   ", "not a valid AE title"),
            ("DICOOGLE_AE_TITLE", "SEVENTEEN-LETTERS", "not a valid AE title"),
            ("DICOOGLE_AE_TITLE", "BACK\\SLASH", "not a valid AE title"),
            ("DICOOGLE_AE_TITLE", "UMLÄUT", "not a valid AE title"),
            ("DICOOGLE_AE_TITLE", "TWO\nLINES", "not a valid AE title"),
            ("DICOOGLE_ALLOWED_AE_TITLES", "A\\B", "not a valid AE title"),
            ("DICOOGLE_ALLOWED_AE_TITLES", "ONE,TWO", "only the last of several"),
            ("DICOOGLE_MOVE_DESTINATIONS", "STORE=127.0.0.1", "not of the form"),
            ("DICOOGLE_MOVE_DESTINATIONS", "127.0.0.1:104", "not of the form"),
            (
                "DICOOGLE_MOVE_DESTINATIONS",
                "OK=a:104,SEVENTEEN-LETTERS=a:104",
                "not a valid AE title",
            ),
            ("DICOOGLE_MOVE_DESTINATIONS", "STORE=127.0.0.1:0", "not a valid port"),
            ("DICOOGLE_MOVE_DESTINATIONS", 'STORE="x":104', "neither an IPv4 address"),
            ("DICOOGLE_SOP_CLASSES", "CTImageStorage", "not a valid UID"),
            ("DICOOGLE_SOP_CLASSES", "1.2.03", "not a valid UID"),
            ("DICOOGLE_SOP_CLASSES", "1." + "2" * 63, "not a valid UID"),
            ("DICOOGLE_HOST", "::1", "neither an IPv4 address"),
            ("DICOOGLE_WEB_PORT", "http", "not a valid port"),
            ("DICOOGLE_STORAGE_PORT", "65536", "not a valid port"),
            ("DICOOGLE_QUERY_PORT", "", "not a valid port"),
            ("DICOOGLE_QUERY_PORT", "6666", "must differ"),
            ("KEEPER_PORT", "http", "not a valid port"),
            ("KEEPER_PORT", "8080", "must differ"),
            ("KEEPER_METRICS_NAMESPACE", "two words", "not a valid namespace"),
            ("KEEPER_METRICS_NAMESPACE", "n" * 256, "not a valid namespace"),
            ("DICOOGLE_IMPORT_DIRECTORY", "froms3", "not a folder inside"),
            ("DICOOGLE_IMPORT_DIRECTORY", "/etc", "not a folder inside"),
            ("DICOOGLE_ADMIN_USER", 'a"b', "not a valid user name"),
            ("DICOOGLE_ADMIN_PASSWORD_HASH", "", "bcrypt"),
            ("DICOOGLE_ADMIN_PASSWORD_HASH", "dicoogle", "bcrypt"),
        ],
    )
    def test_a_wrong_setting_is_named_with_its_reason(
        self, dicoogle: Container, setting: str, value: str, reason: str
    ) -> None:
        message = dicoogle.refusal(**{setting: value})
        assert message.count("dicoogle: ") == 1
        assert setting in message
        assert reason in message

    def test_a_refused_hash_is_not_shown(self, dicoogle: Container) -> None:
        assert "hunter2" not in dicoogle.refusal(DICOOGLE_ADMIN_PASSWORD_HASH="hunter2")

    @pytest.mark.parametrize("folder", ["", "/", "/../confs", "/a/../../index", "/a//b", "/./a"])
    def test_images_are_imported_from_a_folder_inside_the_volume_of_images_only(
        self, dicoogle: Container, folder: str
    ) -> None:
        images = f"{dicoogle.settings['DICOOGLE_DATA']}/images"
        message = dicoogle.refusal(DICOOGLE_IMPORT_DIRECTORY=f"{images}{folder}")
        assert f"not a folder inside {images}" in message
