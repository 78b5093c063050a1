# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Facts of HTTP and of the web API."""

from __future__ import annotations

import re
import socket
import struct
import zlib
from typing import Any

import pytest
from pydicom import dcmread
from support.running_archive import PASSWORD, RunningArchive, eventually
from support.sample_images import CT, EXPLICIT, new_image, new_study


def raw(archive: RunningArchive, text: str) -> str:
    """Send a request as it is written here, and return all that comes back."""
    with socket.create_connection(("127.0.0.1", archive.web_port), timeout=10) as client:
        client.sendall(text.encode())
        client.shutdown(socket.SHUT_WR)
        received = b""
        while data := client.recv(65536):
            received += data
    return received.decode("latin-1")


class TestHttp:
    @pytest.mark.parametrize("path", ["/ext/version", "/legacy/file?uid=1"])
    def test_ext_and_legacy_are_not_found_without_a_host(
        self, archive: RunningArchive, path: str
    ) -> None:
        answer = raw(archive, f"GET {path} HTTP/1.0\r\n\r\n")
        assert answer.startswith("HTTP/1.1 404 Not Found\r\n")
        assert "<title>Status page</title>" in answer

    def test_with_a_host_the_version_is_told(self, archive: RunningArchive) -> None:
        answer = raw(archive, "GET /ext/version HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert answer.startswith("HTTP/1.1 200 OK\r\n")
        assert re.search(r'\{"version":"3\.5\.1-[^"]*"\}', answer)

    def test_other_paths_need_no_host(self, archive: RunningArchive) -> None:
        answer = raw(archive, "GET /index/task HTTP/1.0\r\n\r\n")
        assert answer.startswith("HTTP/1.1 200 OK\r\n")

    def test_http_1_1_without_a_host_is_refused(self, archive: RunningArchive) -> None:
        answer = raw(archive, "GET /index/task HTTP/1.1\r\n\r\n")
        assert answer.startswith("HTTP/1.1 400 No Host\r\n")

    def test_an_unknown_path_is_not_found(self, archive: RunningArchive) -> None:
        for path in ("/nothere", "/management", "/search/x", "//ext/version", "/EXT/version"):
            assert archive.ask("GET", path).status == 404, path

    def test_a_path_is_normalised_before_it_is_looked_up(self, archive: RunningArchive) -> None:
        for path in ("/x/../index/task", "/./index/task", "/index/task;x", "/index//../task"):
            assert archive.ask("GET", path).json["count"] == 0, path
        assert archive.ask("GET", "/ext/version;a=b").status == 404

    def test_a_wrong_method_is_told(self, archive: RunningArchive) -> None:
        reply = archive.ask("GET", "/management/tasks/remove")
        assert (reply.status, reply.reason) == (405, "HTTP method GET is not supported by this URL")

    def test_the_start_page_is_html(self, archive: RunningArchive) -> None:
        reply = archive.ask("GET", "/")
        assert reply.status == 200
        assert reply.headers["Content-Type"].startswith("text/html")
        assert b"Dicoogle" in reply.body

    @pytest.mark.parametrize(
        "path", ["/management/settings/dicom", "/index/task", "/user", "/plugins", "/providers"]
    )
    def test_nothing_asks_for_a_login(self, archive: RunningArchive, path: str) -> None:
        assert archive.ask("GET", path).status == 200


class TestInformation:
    def test_the_providers_are_named(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/providers").json == ["lucene"]
        assert archive.ask("GET", "/providers", type="storage").json == [
            "file-storage",
            "default-filesystem-plugin",
        ]
        assert archive.ask("GET", "/providers", type="bogus").status == 400

    def test_the_plugins_are_listed_and_none_is_dead(self, archive: RunningArchive) -> None:
        told = archive.ask("GET", "/plugins").json
        assert [(each["type"], each["name"]) for each in told["plugins"]] == [
            ("query", "lucene"),
            ("index", "lucene"),
            ("storage", "default-filesystem-plugin"),
            ("storage", "file-storage"),
        ]
        assert set(told["sets"]) == {"luceneset", "file-storage", "default-filesystem-plugin"}
        assert told["dead"] == []
        assert archive.ask("GET", "/plugins/bogus").json == {"error": "Illegal plugin request type"}

    def test_there_are_no_plugins_of_the_web_page(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/webui", **{"slot-id": "menu"}).json == {"plugins": []}

    def test_thousands_of_tags_can_be_exported(self, archive: RunningArchive) -> None:
        names = archive.ask("GET", "/export/list").json
        assert len(names) > 2000
        assert {"PatientName", "StudyInstanceUID"} <= set(names)

    def test_everybody_is_welcome(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/welcome").status == 200

    def test_the_logger_has_no_file_to_show(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/logger").status == 500


class TestSearch:
    def test_a_result_has_uri_and_fields_as_texts(self, archive: RunningArchive) -> None:
        image = new_image(PatientName="Res^Ult", SeriesNumber="7", InstanceNumber="3")
        archive.store(image)
        assert archive.found(image)
        told = archive.ask("GET", "/search", query=f'PatientID:"{image.PatientID}"').json
        assert (told["numResults"], "elapsedTime" in told) == (1, True)
        (result,) = told["results"]
        assert result["uri"].startswith("file:///")
        fields = result["fields"]
        assert fields["SOPInstanceUID"] == image.SOPInstanceUID
        assert fields["PatientName"] == "Res^Ult"
        assert (fields["SeriesNumber"], fields["InstanceNumber"]) == ("7", "3")
        assert fields["StudyID"] == image.StudyID

    def test_only_the_fields_asked_for_are_told(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        (result,) = archive.search(f"PatientID:{image.PatientID}", field=["Modality", "bogus"])
        assert result["fields"] == {"Modality": "CT"}

    def test_psize_cuts_the_results_but_not_their_number(self, archive: RunningArchive) -> None:
        images = new_study(3)
        archive.store(*images)
        archive.settle()
        query = f"StudyInstanceUID:{images[0].StudyInstanceUID}"
        told = archive.ask("GET", "/search", query=query, psize=2).json
        assert (len(told["results"]), told["numResults"]) == (2, 3)
        told = archive.ask("GET", "/search", query=query, psize=2, offset=2).json
        assert (len(told["results"]), told["numResults"]) == (1, 3)

    def test_an_offset_without_psize_finds_nothing(self, archive: RunningArchive) -> None:
        images = new_study(3)
        archive.store(*images)
        archive.settle()
        query = f"StudyInstanceUID:{images[0].StudyInstanceUID}"
        told = archive.ask("GET", "/search", query=query, offset=1).json
        assert (told["results"], told["numResults"]) == ([], 3)

    @pytest.mark.parametrize("query", ["PatientName:Doe^John", "PatientName:(", "NOT Modality:CT"])
    def test_a_query_that_is_none_is_200_and_finds_nothing(
        self, archive: RunningArchive, query: str
    ) -> None:
        reply = archive.ask("GET", "/search", query=query)
        assert (reply.status, reply.json["numResults"]) == (200, 0)

    def test_a_query_is_needed(self, archive: RunningArchive) -> None:
        reply = archive.ask("GET", "/search")
        assert (reply.status, reply.json) == (400, {"results": [], "error": "No query supplied!"})

    def test_an_unknown_provider_is_refused(self, archive: RunningArchive) -> None:
        reply = archive.ask("GET", "/search", query="*", provider="bogus")
        assert (reply.status, "No valid DIM providers" in reply.json["error"]) == (400, True)

    def test_a_word_of_a_name_is_enough(self, archive: RunningArchive) -> None:
        image = new_image(PatientName="Anastasia^Beatrix")
        archive.store(image)
        assert archive.found(image)
        for query in (
            *("Anastasia", "anastasia", "PatientName:Beatrix", 'PatientName:"Anastasia^Beatrix"'),
            *(r"PatientName:Anastasia\^Beatrix", "PatientName:Anas*", "PatientName:A?astasia"),
        ):
            results = archive.search(query)
            assert [each["fields"]["PatientName"] for each in results] == [image.PatientName], query

    def test_several_uids_are_found_at_once_with_or(self, archive: RunningArchive) -> None:
        images = new_study(3)
        archive.store(*images)
        archive.settle()
        query = " OR ".join(f'SOPInstanceUID:"{each.SOPInstanceUID}"' for each in images[:2])
        found = {each["fields"]["SOPInstanceUID"] for each in archive.search(query)}
        assert found == {each.SOPInstanceUID for each in images[:2]}

    def test_dates_can_be_a_range(self, archive: RunningArchive) -> None:
        image = new_image(StudyDate="19310203")
        archive.store(image)
        assert archive.found(image)
        results = archive.search("StudyDate:[19310101 TO 19311231]")
        assert [each["fields"]["PatientID"] for each in results] == [image.PatientID]

    def test_a_utf_8_name_comes_back_as_if_it_were_latin_1(self, archive: RunningArchive) -> None:
        image = new_image(SpecificCharacterSet="ISO_IR 192")
        image.PatientName = "Żółć^Łucja"
        archive.store(image)
        assert archive.found(image)
        (result,) = archive.search(f"PatientID:{image.PatientID}")
        assert result["fields"]["PatientName"] == "Żółć^Łucja".encode().decode("latin-1")

    def test_the_tree_goes_from_patient_to_image(self, archive: RunningArchive) -> None:
        images = new_study(2, PatientSex="F")
        archive.store(*images)
        archive.settle()
        query = f"PatientID:{images[0].PatientID}"
        told = archive.ask("GET", "/searchDIM", query=query).json
        assert told["numResults"] == 1
        (patient,) = told["results"]
        assert (patient["id"], patient["gender"], patient["nStudies"]) == (
            *(images[0].PatientID, "F", 1),
        )
        (study,) = patient["studies"]
        (series,) = study["series"]
        assert {each["sopInstanceUID"] for each in series["images"]} == {
            each.SOPInstanceUID for each in images
        }
        assert sorted(each["number"] for each in series["images"]) == [1, 2]
        shallow = archive.ask("GET", "/searchDIM", query=query, depth="patient").json
        assert "studies" not in shallow["results"][0]
        assert archive.ask("GET", "/searchDIM", query=query, depth="bogus").status == 400


class TestImages:
    def test_a_dump_tells_the_fields_of_one_image(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        told = archive.ask("GET", "/dump", uid=image.SOPInstanceUID).json["results"]
        assert told["uri"] == archive.uri_of(image)
        assert told["fields"]["PatientID"] == image.PatientID
        assert archive.ask("GET", "/dump", uid="1.2.3").json["results"] == {"fields": {}}
        assert archive.ask("GET", "/dump").status == 400

    def test_the_file_of_an_image_can_be_had(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        reply = archive.ask("GET", "/legacy/file", uid=image.SOPInstanceUID)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/dicom")
        (file,) = archive.images.rglob(f"{image.SOPInstanceUID}.dcm")
        assert reply.body == file.read_bytes()

    def test_a_file_that_is_gone_or_unknown_is_204(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        next(archive.images.rglob(f"{image.SOPInstanceUID}.dcm")).unlink()
        for uid in (image.SOPInstanceUID, "1.2.3"):
            reply = archive.ask("GET", "/legacy/file", uid=uid)
            assert (reply.status, reply.body) == (204, b"")

    def test_the_path_of_an_image_is_told_at_wado(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        reply = archive.ask("GET", "/wado", uid=image.SOPInstanceUID)
        assert f"{reply.body.decode()}".startswith("file:/")
        assert reply.body.decode().endswith(f"/{image.SOPInstanceUID}.dcm")
        assert archive.ask("GET", "/wado", uid="1.2.3").body == b"not"

    def test_without_an_image_there_is_no_picture(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/dic2png").status == 400
        assert archive.ask("GET", "/dic2png", SOPInstanceUID="").status == 400
        assert archive.ask("GET", "/dic2png", SOPInstanceUID="1.2.3").status == 500
        assert archive.ask("GET", "/dic2png", uri="file:///nothere.dcm").status == 404


def png_size(content: bytes) -> tuple[int, int]:
    """Return width and height of a PNG that is whole."""
    assert content.startswith(b"\x89PNG\r\n\x1a\n")
    place, pixels = 8, b""
    while place < len(content):
        length, kind = struct.unpack_from(">L4s", content, place)
        body = content[place + 8 : place + 8 + length]
        if kind == b"IDAT":
            pixels += body
        place += 12 + length
    assert zlib.decompress(pixels)
    width, height = struct.unpack_from(">LL", content, 16)
    return width, height


class TestPicture:
    def test_an_image_can_be_had_as_png(self, archive: RunningArchive) -> None:
        image = new_image()
        archive.store(image)
        assert archive.found(image)
        reply = archive.ask("GET", "/dic2png", SOPInstanceUID=image.SOPInstanceUID)
        if reply.status == 500 and "ImageLoader" in archive.console():
            pytest.skip("this build of Dicoogle has no reader of DICOM images in its jar")
        assert (reply.status, reply.headers["Content-Type"]) == (200, "image/png")
        assert png_size(reply.body) == (image.Columns, image.Rows)
        small = archive.ask(
            "GET", "/dic2png", SOPInstanceUID=image.SOPInstanceUID, thumbnail="true"
        )
        assert png_size(small.body) == (64, 64)


class TestLogin:
    def test_the_password_of_the_configuration_is_taken(self, archive: RunningArchive) -> None:
        told = archive.post("/login", username="admin", password=PASSWORD)
        assert (told["user"], told["admin"], told["roles"]) == ("admin", True, [])
        known = archive.ask("GET", "/login", token=told["token"])
        assert known.json == {"user": "admin", "admin": True, "roles": []}

    def test_a_wrong_password_is_refused(self, archive: RunningArchive) -> None:
        reply = archive.ask("POST", "/login", username="admin", password="wrong")
        assert (reply.status, reply.reason) == (401, "Login failed")
        assert archive.ask("GET", "/login").status == 401

    def test_two_logins_share_a_token_and_a_logout_ends_both(self, archive: RunningArchive) -> None:
        first, second = (
            archive.post("/login", username="admin", password=PASSWORD)["token"]
            for _unused in range(2)
        )
        assert first == second
        assert archive.ask("POST", "/logout", token=first).json == {"success": False}
        assert archive.ask("GET", "/login", token=second).status == 401


class TestUsers:
    def test_users_come_and_go_by_the_web_and_are_kept(self, new_archive: RunningArchive) -> None:
        archive = new_archive
        ana = {"username": "ana", "password": "secret", "admin": "false"}
        assert archive.post("/user", **ana) == {"success": True}
        assert archive.post("/user", **ana | {"password": "x"}) == {"success": False}
        names = archive.ask("GET", "/user").json["users"]
        assert sorted(each["username"] for each in names) == ["admin", "ana"]
        archive.restart()
        assert archive.post("/login", username="ana", password="secret")["admin"] is False
        assert archive.ask("DELETE", "/user/ana").json == {"success": True}
        assert archive.ask("DELETE", "/user/admin").json == {"success": False}
        assert archive.ask("DELETE", "/user").status == 400

    def test_a_user_without_a_name_destroys_the_file_of_all(
        self, new_archive: RunningArchive
    ) -> None:
        archive = new_archive
        assert archive.ask("POST", "/user", password="x").status == 500
        assert (archive.run / "users.xml").read_text().rstrip().endswith('<user username="')
        archive.end()
        archive.relaunch()
        assert archive.ended() == 1
        assert archive.lines("ERROR", "UsersXML", "Error reading users XML configuration file.")

    def test_a_user_without_a_password_changes_nothing(self, archive: RunningArchive) -> None:
        before = (archive.run / "users.xml").read_text()
        assert archive.ask("POST", "/user", username="eva").status == 500
        assert (archive.run / "users.xml").read_text() == before


class TestManagement:
    def test_the_services_say_where_they_are(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/management/dicom/storage").json == {
            "isRunning": True,
            "port": archive.storage_port,
            "autostart": True,
            "hostname": "127.0.0.1",
        }
        assert archive.ask("GET", "/management/dicom/query").json["isRunning"] is True

    def test_storage_can_be_closed_and_opened(self, new_archive: RunningArchive) -> None:
        archive = new_archive
        told = archive.post("/management/dicom/storage", running="false")
        assert told == {"running": False, "success": True}
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", archive.storage_port))
        assert archive.ask("GET", "/management/dicom/storage").json["isRunning"] is False
        assert archive.echo("query") == 0
        assert archive.post("/management/dicom/storage", running="true")["running"] is True
        assert eventually(lambda: archive.echo("storage") == 0)
        again = archive.ask("POST", "/management/dicom/storage", running="true")
        assert again.json["warning"] == again.headers["Warning"] == "Service was already running"

    def test_an_open_association_goes_on_when_storage_is_closed(
        self, new_archive: RunningArchive
    ) -> None:
        archive, image = new_archive, new_image()
        contexts = [(image.SOPClassUID, [str(image.file_meta.TransferSyntaxUID)])]
        with archive.associated("storage", contexts) as association:
            archive.post("/management/dicom/storage", running="false")
            assert association.send_c_store(image).Status == 0
        assert archive.found(image)

    def test_a_port_that_is_none_is_refused(self, archive: RunningArchive) -> None:
        reply = archive.ask("POST", "/management/dicom/storage", port="0")
        assert (reply.status, reply.json["success"]) == (400, False)

    def test_the_settings_of_the_index_show_the_folder_of_images(
        self, archive: RunningArchive
    ) -> None:
        assert archive.ask("GET", "/management/settings/index").json == {
            "path": str(archive.images),
            "zip": False,
            "effort": "100",
            "thumbnail": False,
            "thumbnailSize": "64",
            "watcher": False,
        }

    def test_one_setting_of_the_index_is_told_bare(self, archive: RunningArchive) -> None:
        assert archive.ask("GET", "/management/settings/index/effort").body == b"100"
        assert archive.ask("GET", "/management/settings/index/watcher").body == b"false"
        path = archive.ask("GET", "/management/settings/index/path").body
        assert path == str(archive.images).encode()

    def test_a_transfer_option_acts_when_storage_is_started_again(
        self, new_archive: RunningArchive
    ) -> None:
        archive, path = new_archive, "/management/settings/transfer"
        listed = {each["uid"]: each["options"] for each in archive.ask("GET", path).json}
        values = {each["name"]: each["value"] for each in listed[CT]}
        assert values["ExplicitVRLittleEndian"] is True
        option = {"uid": CT, "option": "ExplicitVRLittleEndian", "value": "false"}
        assert archive.post(path, **option) == {"success": True}

        def accepted() -> int:
            with archive.associated("storage", [(CT, [EXPLICIT])]) as association:
                return len(association.accepted_contexts)

        assert accepted() == 1
        for running in ("false", "true"):
            archive.post("/management/dicom/storage", running=running)
        assert accepted() == 0

    def test_another_title_does_not_act_on_open_ports(self, new_archive: RunningArchive) -> None:
        archive, path = new_archive, "/management/settings/dicom"
        assert archive.ask("GET", path).json == {"aetitle": "DICOOGLE-STORAGE"}
        assert archive.ask("PUT", path, aetitle="OTHER").json == {"success": True}
        assert archive.echo("storage") == archive.echo("query") == 0
        assert archive.ask("PUT", path).status == 402

    def test_move_destinations_can_be_added_and_removed(self, archive: RunningArchive) -> None:
        path = "/management/settings/storage/dicom"
        known = {"aetitle": "OTHER", "ip": "127.0.0.1", "port": "104"}
        assert archive.post(path, type="add", **known) == {"added": True}
        listed: list[dict[str, Any]] = archive.ask("GET", path).json
        assert [each["port"] for each in listed if each["AETitle"] == "OTHER"] == [104]
        assert archive.post(path, type="remove", **known) == {"removed": True}
        assert archive.post(path, type="remove", **known) == {"removed": False}
        assert archive.ask("POST", path, type="remove", aetitle="OTHER").status == 400


def test_what_is_stored_keeps_its_values_in_the_file(archive: RunningArchive) -> None:
    image = new_image()
    archive.store(image, calling="MODALITY1")
    (file,) = archive.images.rglob(f"{image.SOPInstanceUID}.dcm")
    kept = dcmread(file)
    assert kept == image
    assert kept.file_meta[0x00020017].value == "MODALITY1"
    assert kept.file_meta[0x00020018].value == "DICOOGLE-STORAGE"
