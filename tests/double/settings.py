# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What Dicoogle reads from its working directory and from the command line of Java."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

SERVER = Path("confs/server.xml")
INDEX = Path("Plugins/settings/luceneset.xml")
FILES = Path("Plugins/settings/file-storage.xml")
IMPLICIT = "1.2.840.10008.1.2"
VERIFICATION = "1.2.840.10008.1.1"
FIND_AND_MOVE = [f"1.2.840.10008.5.1.4.1.2.{root}.{action}" for root in "12" for action in "12"]
UNCOMPRESSED = [IMPLICIT, "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2"]

# An element that is not listed here stops Dicoogle.
KNOWN = {
    "config": {"web-server", "archive", "dicom-services"},
    "archive": {
        *("save-thumbnails", "thumbnail-size", "indexer-effort", "dim-providers"),
        *("default-storages", "enable-watch-directory", "watch-directory", "encrypt-users-file"),
        *("use-iio-registry", "support-wsi", "main-directory", "node-name", "call-shutdown"),
    },
    "dicom-services": {
        *("aetitle", "device-description", "allowed-aetitles", "priority-aetitles"),
        *("allowed-local-interfaces", "allowed-hostnames", "default-ts", "sop-classes"),
        *("additional-sop-classes", "additional-transfer-syntaxes", "move-destinations"),
        *("storage", "query-retrieve"),
    },
    "web-server": {"allowed-origins"},
    "storage": {"save-ae-titles"},
    "query-retrieve": {
        *("rsp-delay", "dimse-rsp-timeout", "idle-timeout", "accept-timeout"),
        *("connection-timeout", "transfer-capabilities", "sop-class", "max-client-assocs"),
        *("max-pdu-length-receive", "max-pdu-length-send"),
    },
}
# What Dicoogle knows without additional-transfer-syntaxes and additional-sop-classes.
BUILT_IN_SYNTAXES = {
    IMPLICIT: "ImplicitVRLittleEndian",
    "1.2.840.10008.1.2.1": "ExplicitVRLittleEndian",
    "1.2.840.10008.1.2.1.99": "DeflatedExplicitVRLittleEndian",
    "1.2.840.10008.1.2.2": "ExplicitVRBigEndian",
    "1.2.840.10008.1.2.4.70": "JPEGLossless",
    "1.2.840.10008.1.2.4.80": "JPEGLSLossless",
    "1.2.840.10008.1.2.4.57": "JPEGLosslessNonHierarchical14",
    "1.2.840.10008.1.2.4.90": "JPEG2000LosslessOnly",
    "1.2.840.10008.1.2.4.50": "JPEGBaseline1",
    "1.2.840.10008.1.2.4.51": "JPEGExtended24",
    "1.2.840.10008.1.2.4.81": "JPEGLSLossyNearLossless",
    "1.2.840.10008.1.2.4.91": "JPEG2000",
    "1.2.840.10008.1.2.5": "RLELossless",
    "1.2.840.10008.1.2.4.100": "MPEG2",
}
STORAGE_CLASS = "1.2.840.10008.5.1.4.1.1"
BUILT_IN_CLASSES = {
    "1.2.840.10008.1.9",
    *("1.2.840.10008.5.1.1.27", "1.2.840.10008.5.1.1.29", "1.2.840.10008.5.1.1.30"),
    *("1.2.840.10008.5.1.4.38.1", "1.3.12.2.1107.5.9.1"),
    *(
        f"{STORAGE_CLASS}.{suffix}"
        for suffix in (
            *("1", "1.1", "1.1.1", "1.2", "1.3", "1.3.1", "2", "2.1", "3", "3.1", "4", "4.1"),
            *("4.2", "5", "6", "6.1", "7", "7.1", "7.2", "7.3", "7.4", "8", "9", "9.1.2", "9.1.3"),
            *("9.2.1", "9.3.1", "9.4.1", "10", "11", "11.1", "11.2", "11.3", "11.4", "12.1"),
            *("12.1.1", "12.2", "12.2.1", "12.3", "13.1.3", "20", "66", "66.1", "66.2", "67"),
            *("77.1.1", "77.1.1.1", "77.1.2", "77.1.2.1", "77.1.3", "77.1.4", "77.1.4.1"),
            *("77.1.5.1", "77.1.5.2", "77.1.5.3", "77.1.6", "77.1", "77.2", "88.11", "88.22"),
            *("88.33", "88.40", "88.50", "88.59", "88.65", "88.67", "104.1", "128", "129"),
            *("481.1", "481.2", "481.3", "481.4", "481.5", "481.6", "481.7"),
        )
    ),
}


class SettingsError(Exception):
    """A configuration file that stops Dicoogle."""


@dataclass
class Service:
    """Where a service listens, and whether from the start."""

    host: str
    port: int
    autostart: bool


@dataclass
class Destination:
    """Where a C-MOVE can go."""

    title: str
    host: str
    port: int
    public: bool = False
    description: str = ""


@dataclass
class Settings:
    """All of it. Some of it changes by the web API."""

    web: Service
    storage: Service
    query: Service
    title: str
    node_name: str
    allowed_title: str
    save_titles: bool
    most_query_associations: int
    syntax_names: dict[str, str]  # of all that are known, by UID
    accepted: dict[str, list[str]]  # transfer syntaxes by storage class
    destinations: list[Destination]
    main_directory: str
    watch_directory: str
    watcher: bool
    effort: int
    save_thumbnails: bool
    thumbnail_size: int
    image_root: Path
    index_folder: Path
    properties: dict[str, str] = field(default_factory=dict)

    def count(self, name: str, default: int) -> int:
        """Return a number that Java was started with, -Dname=number."""
        return int(self.properties.get(name, default))

    def save(self) -> None:
        """Write what has changed to server.xml."""
        tree = ElementTree.parse(SERVER)
        dicom, archive = tree.find("dicom-services"), tree.find("archive")
        assert dicom is not None
        assert archive is not None
        for name, service in (("storage", self.storage), ("query-retrieve", self.query)):
            element = dicom.find(name)
            assert element is not None
            element.set("hostname", service.host)
            element.set("port", str(service.port))
            element.set("autostart", str(service.autostart).lower())
        set_text(dicom, "aetitle", self.title)
        set_text(archive, "watch-directory", self.watch_directory)
        set_text(archive, "enable-watch-directory", str(self.watcher).lower())
        set_text(archive, "indexer-effort", str(self.effort))
        moves = dicom.find("move-destinations")
        assert moves is not None
        moves.clear()
        for each in self.destinations:
            attributes = {
                "aetitle": each.title,
                "address": each.host,
                "port": str(each.port),
                "public": str(each.public).lower(),
                "description": each.description,
            }
            ElementTree.SubElement(moves, "move-destination", attributes)
        tree.write(SERVER, encoding="utf-8")


def set_text(parent: ElementTree.Element, name: str, text: str) -> None:
    """Set the text of a child that may be missing."""
    element = parent.find(name)
    if element is None:
        element = ElementTree.SubElement(parent, name)
    element.text = text


def refuse_unknown(element: ElementTree.Element) -> None:
    """Raise for an element that Dicoogle's settings classes do not have."""
    for child in element:
        known = KNOWN.get(element.tag)
        if known is not None and child.tag not in known:
            raise SettingsError(
                "com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException: "
                f'Unrecognized field "{child.tag}"'
            )
        refuse_unknown(child)


def service(element: ElementTree.Element | None) -> Service:
    """Return the address in the attributes of an element."""
    assert element is not None
    return Service(
        element.get("hostname", "0.0.0.0"),
        int(element.get("port", "0")),
        element.get("autostart") == "true",
    )


def texts(parent: ElementTree.Element, path: str) -> list[str]:
    """Return what the elements hold."""
    return [element.text or "" for element in parent.findall(path)]


def accepted_classes(dicom: ElementTree.Element) -> list[str]:
    """Return the storage classes that are named, and known or declared."""
    named = {each.text for each in dicom.iterfind("sop-classes/sop-class/uid")}
    added = [each.get("uid", "") for each in dicom.iterfind("additional-sop-classes/*")]
    return [*added, *sorted(BUILT_IN_CLASSES & named - set(added))]


def known_syntaxes(dicom: ElementTree.Element) -> dict[str, str]:
    """Return the names of the transfer syntaxes that are built in or declared."""
    declared = dicom.iterfind("additional-transfer-syntaxes/*")
    return BUILT_IN_SYNTAXES | {each.get("uid", ""): each.get("alias", "") for each in declared}


def read(properties: dict[str, str]) -> Settings:
    """Read the three files of the working directory."""
    try:
        server = ElementTree.parse(SERVER).getroot()
    except ElementTree.ParseError as error:
        raise SettingsError(f"com.fasterxml.jackson.core.JsonParseException: {error}") from None
    refuse_unknown(server)
    dicom, archive = server.find("dicom-services"), server.find("archive")
    assert dicom is not None
    assert archive is not None
    title = dicom.findtext("aetitle", "DICOOGLE-STORAGE")
    names = known_syntaxes(dicom)
    syntaxes = [each for each in texts(dicom, "default-ts/ts") if each in names]
    root = ElementTree.parse(FILES).findtext("root-dir", "/tmp")
    return Settings(
        web=service(server.find("web-server")),
        storage=service(dicom.find("storage")),
        query=service(dicom.find("query-retrieve")),
        title=title,
        node_name=archive.findtext("node-name", title),
        allowed_title=(texts(dicom, "allowed-aetitles") or [""])[-1],
        save_titles=dicom.findtext("storage/save-ae-titles", "true") == "true",
        most_query_associations=int(dicom.findtext("query-retrieve/max-client-assocs", "20")),
        syntax_names=names,
        accepted={each: list(syntaxes) for each in accepted_classes(dicom)},
        destinations=[
            Destination(
                each.get("aetitle", ""),
                each.get("address", ""),
                int(each.get("port", "0")),
                each.get("public") == "true",
                each.get("description", ""),
            )
            for each in dicom.iterfind("move-destinations/move-destination")
        ],
        main_directory=archive.findtext("main-directory", ""),
        watch_directory=archive.findtext("watch-directory", ""),
        watcher=archive.findtext("enable-watch-directory") == "true",
        effort=int(archive.findtext("indexer-effort", "100")),
        save_thumbnails=archive.findtext("save-thumbnails") == "true",
        thumbnail_size=int(archive.findtext("thumbnail-size", "64")),
        image_root=Path(os.path.abspath(root)),
        index_folder=Path(
            ElementTree.parse(INDEX).findtext("indexer/path", "./index/") + "indexed"
        ),
        properties=properties,
    )
