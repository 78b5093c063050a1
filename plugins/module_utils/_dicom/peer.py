# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Options and addresses of a DICOM peer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .errors import DicomError, Reason

LONGEST_WAIT = 2_000_000  # seconds; the system counts milliseconds in 31 bits
AE_TITLE_LENGTH = 16  # PS3.5, 6.2, value representation AE


@dataclass(frozen=True)
class Tls:
    """Paths of PEM files and the name that the peer's certificate must hold."""

    server_name: str
    ca_certificate: str | None = None
    certificate: str | None = None
    private_key: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """What listens somewhere, and how to connect to it. The timeout in seconds."""

    host: str
    port: int
    tls: Tls | None
    connect_timeout: float

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Peer(Endpoint):
    """A DICOM application entity and how to reach it. Timeouts in seconds, max_pdu in bytes."""

    called_ae_title: str
    calling_ae_title: str
    dimse_timeout: float
    network_timeout: float
    max_pdu: int

    def __str__(self) -> str:
        return f"{self.called_ae_title} at {super().__str__()}"


def endpoint_argument_spec() -> dict[str, Any]:
    """Return the options of the documentation fragment `openpacs.dicoogle.endpoint`."""
    return {
        "host": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
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
    }


def peer_argument_spec() -> dict[str, Any]:
    """Return these, and the options of the fragment `openpacs.dicoogle.dicom`."""
    return {
        **endpoint_argument_spec(),
        "called_ae_title": {"type": "str", "required": True},
        "calling_ae_title": {"type": "str", "default": "ANSIBLE"},
        "connect_timeout": {"type": "float", "default": 10.0},
        "dimse_timeout": {"type": "float", "default": 60.0},
        "network_timeout": {"type": "float", "default": 30.0},
        "max_pdu": {"type": "int", "default": 131072},
    }


def build_endpoint(params: dict[str, Any], timeout: str) -> Endpoint:
    """Return the endpoint that the module's options describe; `timeout` is the option for it.

    Raises DicomError: an option has no usable value.
    """
    tls = params["tls"]
    if not 1 <= params["port"] <= 65535:
        refuse("port", params["port"], "Give a number from 1 to 65535.")
    _check_host(Reason.UNKNOWN_HOST, "host", params["host"])
    if tls and tls["server_name"]:
        _check_host(Reason.INVALID_INPUT, "tls.server_name", tls["server_name"])
    return Endpoint(
        host=params["host"],
        port=params["port"],
        tls=Tls(**{**tls, "server_name": tls["server_name"] or params["host"]}) if tls else None,
        connect_timeout=_seconds(timeout, params),
    )


def build_peer(params: dict[str, Any]) -> Peer:
    """Return the peer that the module's options describe.

    Raises DicomError: an option has no usable value.
    """
    if not 4096 <= params["max_pdu"] <= 1048576:
        refuse("max_pdu", params["max_pdu"], "Give a number of bytes from 4096 to 1048576.")
    return Peer(
        **vars(build_endpoint(params, "connect_timeout")),
        called_ae_title=ae_title("called_ae_title", params["called_ae_title"]),
        calling_ae_title=ae_title("calling_ae_title", params["calling_ae_title"]),
        dimse_timeout=_seconds("dimse_timeout", params),
        network_timeout=_seconds("network_timeout", params),
        max_pdu=params["max_pdu"],
    )


def _check_host(reason: Reason, option: str, value: str) -> None:
    """Fail for what cannot be looked up at all, as Python raises no OSError for it."""
    try:
        usable = value.encode("idna") and value.isprintable() and " " not in value
    except UnicodeError:
        usable = False
    if not usable:
        refuse(
            option,
            repr(value),
            "Give a host name, or an address. Labels have 1 to 63 characters, with a dot between "
            "them.",
            reason,
        )


def _seconds(option: str, params: dict[str, Any]) -> float:
    if not 0 < params[option] <= LONGEST_WAIT:  # false for what is no number, too
        refuse(option, params[option], f"Give seconds above 0, up to {LONGEST_WAIT}.")
    return params[option]


def ae_title(option: str, value: str) -> str:
    """Return an AE title without the spaces around it, which mean nothing.

    Raises DicomError: it is blank, too long or holds characters that PS3.5 forbids.
    """
    title = value.strip(" ")
    allowed = title.isascii() and title.isprintable() and "\\" not in title
    if not (allowed and 0 < len(title) <= AE_TITLE_LENGTH):
        refuse(
            option,
            repr(value),
            f"An AE title has 1 to {AE_TITLE_LENGTH} ASCII characters, not only spaces, "
            "and no backslash.",
        )
    return title


def refuse(option: str, value: object, advice: str, reason: Reason = Reason.INVALID_INPUT) -> None:
    """Fail for an option.

    Raises DicomError: always.
    """
    raise DicomError(reason, f"{option}={value} cannot be used. {advice}")
