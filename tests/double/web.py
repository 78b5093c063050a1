# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The routes of Dicoogle's web API. Nearly none asks who is there."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from pydicom.datadict import DicomDictionary
from pydicom.uid import UID

from double import log, pictures
from double.archive import Archive
from double.files import to_path
from double.http_server import JSON, Reply, Request, Route, ServletError, as_json, error_json
from double.log import Log
from double.model import Patient, patients
from double.services import Switch
from double.settings import Destination, Service, Settings
from double.users import User, Users, UsersError

VERSION = "3.5.1-20261125_0239"
FIELDS = (
    *("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName"),
    *("PatientSex", "Modality", "StudyDate", "StudyID", "StudyDescription", "SeriesNumber"),
    *("SeriesDescription", "InstitutionName", "InstanceNumber"),
)
DEPTHS = ("none", "patient", "study", "series", "image")
KINDS = ("uri", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID")
STORAGES = ["file-storage", "default-filesystem-plugin"]
NULL_POINTER = "java.lang.NullPointerException"
PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head><meta charset="UTF-8"><title>Dicoogle</title></head>
<body>
<h1>Dicoogle</h1>
<p>A double of Dicoogle, for tests only. The web page of the real one is not in it.</p>
</body>
</html>
"""


def boolean(text: str | None) -> bool:
    """Read a boolean as Java does."""
    return (text or "").lower() == "true"


def number(text: str | None) -> int:
    """Read a number as Java does."""
    if text is None or not re.fullmatch(r"[+-]?\d+", text):
        raise ServletError(500, f"java.lang.NumberFormatException: {text}")
    return int(text)


def port_number(text: str | None) -> int | None:
    """Read a port; nothing for anything else."""
    valid = text and re.fullmatch(r"\d+", text) and 0 < int(text) < 65536
    return int(text) if text and valid else None


def tree(patient: Patient, depth: int) -> dict[str, Any]:
    """Return a patient with what is below."""
    told: dict[str, Any] = {
        "id": patient.identity,
        "name": patient.name,
        "gender": patient.sex,
        "nStudies": len(patient.studies),
        "birthdate": patient.birth_date,
    }
    if depth < 2:
        return told
    told["studies"] = []
    for study in patient.studies:
        entry: dict[str, Any] = {
            "studyInstanceUID": study.uid,
            "studyDate": study.date,
            "studyDescription": study.description,
            "institutionName": study.institution,
            "modalities": ",".join(dict.fromkeys(each.modality for each in study.series)),
        }
        if depth >= 3:
            entry["series"] = []
        for series in study.series if depth >= 3 else []:
            images = {} if depth < 4 else {"images": [image(each) for each in series.images]}
            entry["series"].append(
                {
                    "serieNumber": series.number,
                    "serieInstanceUID": series.uid,
                    "serieDescription": series.description,
                    "serieModality": series.modality,
                }
                | images
            )
        told["studies"].append(entry)
    return told


def image(fields: dict[str, str]) -> dict[str, Any]:
    """Return what a tree says of an image."""
    path = unquote(fields["uri"].removeprefix("file://"))
    told: dict[str, Any] = {
        "sopInstanceUID": fields.get("SOPInstanceUID", ""),
        "rawPath": path,
        "uri": fields["uri"],
        "filename": path.rpartition("/")[2],
    }
    if fields.get("InstanceNumber", "").isdecimal():
        told["number"] = int(fields["InstanceNumber"])
    return told


class Web:
    """What the routes answer."""

    def __init__(
        self,
        settings: Settings,
        archive: Archive,
        users: Users,
        switches: dict[str, Switch],
        log_: Log,
    ) -> None:
        self._settings = settings
        self._archive = archive
        self._users = users
        self._switches = switches
        self._log = log_

    def routes(self) -> dict[str, dict[str, Route]]:
        """Return the methods of each path."""
        start = {"GET": self._page, "POST": self._page}
        routes: dict[str, dict[str, Route]] = {
            "/": start,
            "/index.html": start,
            "/ext/version": {"GET": lambda _: Reply(body=version(), kind=restlet("json"))},
            "/legacy/file": {"GET": self._file},
            "/login": {"GET": self._who, "POST": self._sign_in},
            "/logout": {"GET": self._sign_out, "POST": self._sign_out},
            "/user/*": {"GET": self._users_, "POST": self._add_user, "DELETE": self._remove_user},
            "/search": {"GET": self._search},
            "/searchDIM": {"GET": self._search_tree},
            "/dump": {"GET": self._dump},
            "/dic2png": {"GET": self._picture},
            "/wado": {"GET": self._path_of},
            "/providers": {"GET": self._providers},
            "/plugins/*": {"GET": self._plugins},
            "/webui": {"GET": lambda _: as_json({"plugins": []})},
            "/export/list": {"GET": self._tag_names},
            "/welcome": {"GET": lambda _: Reply(body=b"Welcome", kind="text/plain; charset=UTF-8")},
            "/logger": {"GET": self._broken},
            "/index/task": {"GET": self._tasks, "POST": self._change_task},
            "/management/tasks/index": {"POST": self._index},
            "/management/tasks/unindex": {"POST": self._unindex},
            "/management/tasks/remove": {"POST": self._remove},
            "/management/settings/index/*": {"GET": self._index_settings, "POST": self._set_index},
            "/management/settings/transfer": {
                "GET": self._transfer,
                "POST": self._set_transfer,
                "PUT": self._set_transfer,
            },
            "/management/settings/dicom": {"GET": self._title, "PUT": self._set_title},
            "/management/settings/dicom/query": {"GET": self._query_settings},
            "/management/settings/storage/dicom": {
                "GET": self._destinations,
                "POST": self._change_destinations,
            },
        }
        for name, service in (("storage", self._settings.storage), ("query", self._settings.query)):
            routes[f"/management/dicom/{name}"] = {
                "GET": self._of_service(name, service, self._service),
                "POST": self._of_service(name, service, self._set_service),
            }
        return routes

    @staticmethod
    def _of_service(
        name: str, service: Service, answer: Callable[[str, Service, Request], Reply]
    ) -> Route:
        return lambda request: answer(name, service, request)

    @staticmethod
    def _page(_request: Request) -> Reply:
        return Reply(body=PAGE, kind="text/html", headers={"ETag": 'W/"double"'})

    @staticmethod
    def _broken(_request: Request) -> Reply:
        raise ServletError(500, NULL_POINTER)

    # ---- Users ----

    def _sign_in(self, request: Request) -> Reply:
        signed_in = self._users.sign_in(request.get("username"), request.get("password"))
        if signed_in is None:
            raise ServletError(401, "Login failed")
        user, token = signed_in
        reply = as_json(about(user) | {"token": token})
        reply.headers["Set-Cookie"] = f"JSESSIONID={secrets.token_hex(13)[:25]};Path=/"
        reply.headers["Expires"] = "Thu, 01 Jan 1970 00:00:00 GMT"
        return reply

    def _who(self, request: Request) -> Reply:
        user = self._users.signed_in(request.authorization)
        if user is None:
            raise ServletError(401)
        return as_json(about(user))

    def _sign_out(self, request: Request) -> Reply:
        self._users.sign_out(request.authorization)
        return as_json({"success": False})

    def _users_(self, _request: Request) -> Reply:
        try:
            return as_json({"users": [{"username": each} for each in self._users.names()]})
        except UsersError:
            return as_json({})

    def _add_user(self, request: Request) -> Reply:
        admin = boolean(request.get("admin"))
        try:
            added = self._users.add(request.get("username"), request.get("password"), admin=admin)
        except UsersError:
            raise ServletError(500, NULL_POINTER) from None
        return as_json({"success": added})

    def _remove_user(self, request: Request) -> Reply:
        if not request.rest:
            return error_json(400, "Username not provided")
        try:
            return as_json({"success": self._users.remove(request.rest[0])})
        except UsersError:
            raise ServletError(500, NULL_POINTER) from None

    # ---- Searches ----

    def _found(self, request: Request) -> tuple[list[dict[str, str]], int, int] | Reply:
        """Search as the parameters say: what is found, psize and offset."""
        psize, offset = (request.get("psize") or "2147483647"), (request.get("offset") or "0")
        for name, text in (("psize", psize), ("offset", offset)):
            if not re.fullmatch(r"\+?\d+", text):
                problem = f"Invalid parameter {name}: must be a non-negative integer"
                return as_json({"results": [], "error": problem}, 400)
        query = request.get("query")
        if not query:
            return as_json({"results": [], "error": "No query supplied!"}, 400)
        providers = request.all("provider")
        if providers and "lucene" not in providers:
            return as_json({"results": [], "error": "No valid DIM providers supplied."}, 400)
        return self._archive.search(query), int(psize), int(offset)

    def _search(self, request: Request) -> Reply:
        begin = time.monotonic()
        if request.get("depth") is not None:
            problem = "Parameter depth is only applicable to /searchDIM endpoint"
            return as_json({"results": [], "error": problem}, 400)
        found = self._found(request)
        if isinstance(found, Reply):
            return found
        images, psize, offset = found
        fields = request.all("field") or FIELDS
        end = offset + psize
        if end > 2147483647:  # an overflow: nothing is below a negative number
            end = 0
        return as_json(
            {
                "results": [
                    {
                        "uri": each["uri"],
                        "fields": {n: each[n].strip() for n in fields if n in each},
                    }
                    for each in images[offset:end]
                ],
                "elapsedTime": milliseconds(begin),
                "numResults": len(images),
            }
        )

    def _search_tree(self, request: Request) -> Reply:
        begin = time.monotonic()
        depth = (request.get("depth") or "image").lower()
        if depth not in DEPTHS:
            problem = "Invalid parameter depth: must be a valid level: "
            problem += "'none', 'patient', 'study', 'series' or 'image'"
            return as_json({"results": [], "error": problem}, 400)
        found = self._found(request)
        if isinstance(found, Reply):
            return found
        known, psize, offset = patients(found[0]), found[1], found[2]
        told: dict[str, Any] = {"numResults": len(known)}
        if depth != "none":
            end = offset + (psize or len(known))
            some = known[offset : 0 if end > 2147483647 else end]
            told["results"] = [tree(each, DEPTHS.index(depth)) for each in some]
        return as_json(told | {"elapsedTime": milliseconds(begin)})

    def _dump(self, request: Request) -> Reply:
        begin = time.monotonic()
        if not request.get("uid"):
            raise ServletError(400, "No uid supplied")
        providers = request.all("provider")
        if providers and "lucene" not in providers:
            raise ServletError(400, "No valid DIM providers supplied.")
        results: dict[str, Any] = {"fields": {}}
        for each in self._archive.search(f"SOPInstanceUID:{request.get('uid')}"):
            fields = {name: text for name, text in each.items() if name not in ("uri", "others")}
            results = {"uri": each["uri"], "fields": fields}
        return as_json({"results": results, "elapsedTime": milliseconds(begin)})

    def _uri_of(self, uid: str) -> str | None:
        found = self._archive.search(f'SOPInstanceUID:"{uid}"')
        return found[-1]["uri"] if found else None

    def _file(self, request: Request) -> Reply:
        uid = request.get("uid") or ""
        uri = self._uri_of(uid)
        if uri is None or not to_path(uri).is_file():
            return Reply(204)
        attached = f"attachment; filename={uid}.dcm"
        content = to_path(uri).read_bytes()
        return Reply(200, content, "application/dicom", {"Content-Disposition": attached})

    def _path_of(self, request: Request) -> Reply:
        uid = request.get("uid")
        if not uid:
            raise ServletError(400, "No uid supplied!\n/wado?uid=UID")
        return Reply(body=(self._uri_of(uid) or "not").replace("file:///", "file:/").encode())

    def _picture(self, request: Request) -> Reply:
        uid, uri = request.get("SOPInstanceUID"), request.get("uri")
        if uid is None and uri is None:
            raise ServletError(400, "URI or SOP Instance UID not provided")
        if uid is not None:
            if not uid.strip():
                raise ServletError(400, "Invalid SOP Instance UID!")
            uri = self._uri_of(uid)
            if uri is None:
                return error_json(500, "Unexpected internal server error")
        assert uri is not None
        if not to_path(uri).is_file():
            return error_json(404, "No image file for supplied URI")
        try:
            content = pictures.png(to_path(uri), thumbnail=boolean(request.get("thumbnail")))
        except pictures.PictureError:
            return error_json(500, "Unexpected internal server error")
        return Reply(200, content, "image/png")

    @staticmethod
    def _tag_names(_request: Request) -> Reply:
        reply = as_json([each[4] for each in DicomDictionary.values() if each[4]])
        reply.kind = None
        return reply

    # ---- Plugins ----

    @staticmethod
    def _providers(request: Request) -> Reply:
        named = {"query": ["lucene"], "index": ["lucene"], "storage": STORAGES}
        kind = request.get("type") or "query"
        if kind not in named:
            raise ServletError(400)
        return as_json(named[kind])

    @staticmethod
    def _plugins(request: Request) -> Reply:
        plugins = [
            {"name": "lucene", "type": "query", "enabled": True, "dim": True},
            {"name": "lucene", "type": "index", "enabled": True},
            *(
                {
                    "name": name,
                    "type": "storage",
                    "enabled": True,
                    "scheme": "file",
                    "default": name == STORAGES[0],
                }
                for name in reversed(STORAGES)
            ),
        ]
        sets = ["luceneset", *STORAGES]
        kind = request.rest[0] if request.rest else ""
        if kind in ("query", "index", "storage", "servlet"):
            return as_json({"plugins": [each for each in plugins if each["type"] == kind]})
        parts: dict[str, Any] = {
            "": {"plugins": plugins, "sets": sets, "dead": []},
            "set": {"sets": sets},
            "dead": {"dead": []},
        }
        if kind not in parts:
            return error_json(400, "Illegal plugin request type")
        return as_json(parts[kind])

    # ---- Tasks ----

    def _tasks(self, _request: Request) -> Reply:
        return Reply(200, self._archive.tasks.as_json().encode(), JSON)

    def _change_task(self, request: Request) -> Reply:
        if request.get("action") not in (None, "delete"):
            raise ServletError(400, "action param needed: only delete is supported")
        uid = request.get("uid") or ""
        match request.get("type"):
            case None:
                raise ServletError(400, "type param not existent")
            case "close":
                return as_json({"removed": self._archive.tasks.close(uid)})
            case "stop":
                return as_json({"stopped": self._archive.tasks.stop(uid)})
        return as_json({"error": True})

    def _index(self, request: Request) -> Reply:
        uris = request.all("uri")
        if not uris:
            raise ServletError(400, "No uri provided")
        if request.all("plugin") not in ([], ["lucene"]):
            raise ServletError(500, NULL_POINTER)
        if any(not valid_uri(each) for each in uris):
            raise ServletError(400)
        tasks = [self._archive.indexer.index(each.replace(" ", "%20")) for each in uris]
        return as_json({"tasks": [each.bean() for each in tasks if each]})

    def _unindex(self, request: Request) -> Reply:
        kinds = [each for each in KINDS if request.all(each)]
        if len(kinds) != 1:
            names = ", ".join(f"`{each}`" for each in KINDS[:3])
            problem = f"No arguments provided; must include either one of {names} or `{KINDS[3]}`"
            return error_json(400, problem)
        values = request.all(kinds[0])
        if kinds[0] == "uri":
            if any(not valid_uri(each) for each in values):
                return error_json(400, f"Malformed escape pair at index 0: {values[0]}")
            uris = values
        else:
            if any(not re.fullmatch(r"\d+(\.\d+)*", each.strip()) for each in values):
                return error_json(400, "Invalid DICOM UID")
            found = (self._archive.search(f'{kinds[0]}:"{each}"') for each in values)
            uris = [image["uri"] for images in found for image in images]
        if request.all("provider") not in ([], ["lucene"]):
            return as_json({"indexed": 0, "failed": len(uris), "notFound": 0})
        if len(uris) == 1:
            self._archive.indexer.unindex(uris[0])
        elif uris:
            self._archive.indexer.unindex_all(uris)
        self._log.say(log.UNINDEXED_FILES, len(uris), len(uris))
        return as_json({"indexed": len(uris), "failed": 0, "notFound": 0})

    def _remove(self, request: Request) -> Reply:
        uris = request.all("uri")
        if not uris:
            raise ServletError(400, "No uri provided")
        for uri in uris:
            if not valid_uri(uri):
                raise ServletError(400, f"Bad URI: {uri}")
        for uri in uris:
            self._archive.remove(uri)
        return Reply()

    # ---- Settings ----

    def _service(self, name: str, service: Service, _request: Request) -> Reply:
        return as_json(
            {
                "isRunning": self._switches[name].running,
                "port": service.port,
                "autostart": service.autostart,
                "hostname": service.host,
            }
        )

    def _set_service(self, name: str, service: Service, request: Request) -> Reply:
        told: dict[str, Any] = {}
        if request.get("port") is not None:
            port = port_number(request.get("port"))
            if port is None:
                problem = "Bad service port: must be a valid port number"
                return as_json({"success": False, "error": problem}, 400)
            service.port = told["port"] = port
        if request.get("autostart") is not None:
            service.autostart = told["autostart"] = boolean(request.get("autostart"))
        if request.get("hostname") is not None:
            service.host = told["hostname"] = str(request.get("hostname"))
        headers = {}
        if request.get("running") is not None:
            if told.setdefault("running", boolean(request.get("running"))):
                if not self._switches[name].start() and name == "storage":
                    headers["Warning"] = told["warning"] = "Service was already running"
            else:
                self._switches[name].stop()
        self._settings.save()
        reply = as_json(told | {"success": True})
        reply.headers = headers
        return reply

    def _index_settings(self, request: Request) -> Reply:
        known = self._settings
        told = {
            "path": known.main_directory,
            "zip": False,
            "effort": str(known.effort),
            "thumbnail": known.save_thumbnails,
            "thumbnailSize": str(known.thumbnail_size),
            "watcher": known.watcher,
        }
        if not request.rest:
            return as_json(told)
        name = {"thumbnail/size": "thumbnailSize"}.get("/".join(request.rest), request.rest[0])
        if name not in told:
            raise ServletError(404)
        value = told[name]
        return Reply(200, (value if isinstance(value, str) else str(value).lower()).encode(), JSON)

    def _set_index(self, request: Request) -> Reply:
        if request.rest:
            raise ServletError(400, f"Invalid {request.rest[-1]}")
        effort, size = number(request.get("effort")), number(request.get("thumbnailSize"))
        self._settings.watch_directory = request.get("path") or ""
        self._settings.watcher = boolean(request.get("watcher"))
        self._settings.save_thumbnails = boolean(request.get("saveThumbnail"))
        self._settings.effort, self._settings.thumbnail_size = effort, size
        self._settings.save()
        return Reply()

    def _transfer(self, _request: Request) -> Reply:
        names = self._settings.syntax_names
        return as_json(
            [
                {
                    "uid": each,
                    "sop_name": UID(each).name,
                    "options": [
                        {"uid": uid, "name": name, "value": uid in accepted}
                        for uid, name in names.items()
                    ],
                }
                for each, accepted in self._settings.accepted.items()
            ]
        )

    def _set_transfer(self, request: Request) -> Reply:
        """Switch a syntax of a class, which acts when storage is started again."""
        given = [request.get(each) for each in ("uid", "option", "value")]
        if None in given:
            raise ServletError(400, "Missing parameters")
        accepted = self._settings.accepted.get(str(given[0]), [])
        for uid, name in self._settings.syntax_names.items():
            if name == given[1] and boolean(given[2]) != (uid in accepted):
                (accepted.append if boolean(given[2]) else accepted.remove)(uid)
        return as_json({"success": True})

    def _title(self, _request: Request) -> Reply:
        return as_json({"aetitle": self._settings.title})

    def _set_title(self, request: Request) -> Reply:
        title = request.get("aetitle")
        if title is None:
            raise ServletError(402, "aetitle param not found")
        self._settings.title = title
        return as_json({"success": True})

    def _query_settings(self, _request: Request) -> Reply:
        return as_json(
            {
                "acceptTimeout": 10000,
                "connectionTimeout": 10000,
                "idleTimeout": 300000,
                "maxAssociations": self._settings.most_query_associations,
                "maxPduReceive": 16364,
                "maxPduSend": 16364,
                "responseTimeout": 0,
            }
        )

    def _destinations(self, _request: Request) -> Reply:
        return as_json(
            [
                {
                    "AETitle": each.title,
                    "description": each.description,
                    "ipAddrs": each.host,
                    "isPublic": each.public,
                    "port": each.port,
                    "public": each.public,
                }
                for each in self._settings.destinations
            ]
        )

    def _change_destinations(self, request: Request) -> Reply:
        port = port_number(request.get("port"))
        if port is None:
            return error_json(400, "Illegal port parameter: must be a valid TCP port")
        title, destinations = request.get("aetitle") or "", self._settings.destinations
        match request.get("type"):
            case "add":
                host, about_ = request.get("ip") or "", request.get("description") or ""
                public = request.get("public")
                destinations.append(
                    Destination(title, host, port, public == "" or boolean(public), about_)
                )
                reply = as_json({"added": True})
            case "remove":
                kept = [each for each in destinations if each.title != title]
                reply = as_json({"removed": len(kept) < len(destinations)})
                self._settings.destinations = kept
            case _:
                problem = 'Illegal type parameter: must be either "add" or "remove"'
                return error_json(400, problem)
        self._settings.save()
        return reply


def about(user: User) -> dict[str, Any]:
    """Return what a user is told of himself."""
    return {"user": user.name, "admin": user.admin, "roles": []}


def version() -> bytes:
    """Return what /ext/version says."""
    return f'{{"version":"{VERSION}"}}'.encode()


def restlet(kind: str) -> str:
    """Return a content type as Restlet writes it."""
    return f"application/{kind}; charset=UTF-8"


def milliseconds(begin: float) -> int:
    """Return how long something has taken."""
    return int((time.monotonic() - begin) * 1000)


def valid_uri(text: str) -> bool:
    """Say whether Java takes a text for a URI."""
    return not re.search(r"%(?![0-9A-Fa-f]{2})", text)
