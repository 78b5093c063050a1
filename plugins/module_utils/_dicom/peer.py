# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who is asked, and how: the options that all DICOM modules share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import DicomError, Reason

AE_TITLE_LENGTH = 16  # PS3.5, 6.2, value representation AE


@dataclass(frozen=True)
class Tls:
    """Paths of PEM files and the name that the peer's certificate must hold."""

    server_name: str
    ca_certificate: str | None = None
    certificate: str | None = None
    private_key: str | None = None


@dataclass(frozen=True)
class Peer:
    """A DICOM application entity and how to reach it. Timeouts in seconds, max_pdu in bytes."""

    host: str
    port: int
    called_ae_title: str
    calling_ae_title: str
    tls: Tls | None
    connect_timeout: float
    dimse_timeout: float
    network_timeout: float
    max_pdu: int

    def __str__(self) -> str:
        return f"{self.called_ae_title} at {self.host}:{self.port}"


def peer_argument_spec() -> dict[str, Any]:
    """Return the options of the documentation fragment C(openpacs.dicoogle.dicom)."""
    return {
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "called_ae_title": {"type": "str", "required": True},
        "calling_ae_title": {"type": "str", "default": "ANSIBLE"},
        "tls": {
            "type": "dict",
            "options": {
                "ca_certificate": {"type": "path"},
                "certificate": {"type": "path"},
                "private_key": {"type": "path"},
                "server_name": {"type": "str"},
            },
            "required_together": [("certificate", "private_key")],
        },
        "connect_timeout": {"type": "float", "default": 10.0},
        "dimse_timeout": {"type": "float", "default": 60.0},
        "network_timeout": {"type": "float", "default": 30.0},
        "max_pdu": {"type": "int", "default": 131072},
    }


def build_peer(params: dict[str, Any]) -> Peer:
    """Return the peer that the module's options describe.

    :raises DicomError: an option has no usable value.
    """
    tls = params["tls"]
    for name in ("connect_timeout", "dimse_timeout", "network_timeout"):
        if params[name] <= 0:
            _refuse(name, params[name], "Give a number of seconds above 0.")
    if not 1 <= params["port"] <= 65535:
        _refuse("port", params["port"], "Give a number from 1 to 65535.")
    if not 4096 <= params["max_pdu"] <= 1048576:
        _refuse("max_pdu", params["max_pdu"], "Give a number of bytes from 4096 to 1048576.")
    return Peer(
        host=params["host"],
        port=params["port"],
        called_ae_title=ae_title("called_ae_title", params["called_ae_title"]),
        calling_ae_title=ae_title("calling_ae_title", params["calling_ae_title"]),
        tls=Tls(**{**tls, "server_name": tls["server_name"] or params["host"]}) if tls else None,
        connect_timeout=params["connect_timeout"],
        dimse_timeout=params["dimse_timeout"],
        network_timeout=params["network_timeout"],
        max_pdu=params["max_pdu"],
    )


def ae_title(option: str, value: str) -> str:
    """Return an AE title without the spaces around it, which mean nothing.

    :raises DicomError: it is blank, too long or holds characters that PS3.5 forbids.
    """
    title = value.strip(" ")
    allowed = title.isascii() and title.isprintable() and "\\" not in title
    if not (allowed and 0 < len(title) <= AE_TITLE_LENGTH):
        _refuse(
            option,
            repr(value),
            f"An AE title has 1 to {AE_TITLE_LENGTH} ASCII characters, not only spaces, "
            "and no backslash.",
        )
    return title


def _refuse(option: str, value: object, advice: str) -> None:
    raise DicomError(Reason.INVALID_INPUT, f"{option}={value} cannot be used. {advice}")
