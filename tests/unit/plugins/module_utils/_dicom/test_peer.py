# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.errors import (
    DicomError,
    Reason,
)
from ansible_collections.openpacs.dicoogle.plugins.module_utils._dicom.peer import (
    Tls,
    build_peer,
)


def params(**changes: Any) -> dict[str, Any]:
    options = {
        "host": "pacs.example.org",
        "port": 104,
        "called_ae_title": "ARCHIVE",
        "calling_ae_title": "ANSIBLE",
        "tls": None,
        "connect_timeout": 10.0,
        "dimse_timeout": 60.0,
        "network_timeout": 30.0,
        "max_pdu": 131072,
    }
    return {**options, **changes}


@pytest.mark.parametrize(
    "title", ["", "    ", "SEVENTEEN-LETTERS", "BACK\\SLASH", "TAB\tS", "ÄRZTE"]
)
@pytest.mark.parametrize("option", ["called_ae_title", "calling_ae_title"])
def test_refuses_what_is_no_ae_title(option: str, title: str) -> None:
    with pytest.raises(DicomError, match=option) as caught:
        build_peer(params(**{option: title}))
    assert caught.value.reason is Reason.INVALID_INPUT


def test_spaces_around_an_ae_title_mean_nothing() -> None:
    assert build_peer(params(called_ae_title=" SIXTEEN LETTERS  ")).called_ae_title == (
        "SIXTEEN LETTERS"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"port": 0},
        {"port": 65536},
        {"dimse_timeout": 0},
        {"network_timeout": float("nan")},
        {"connect_timeout": float("inf")},
        {"connect_timeout": 1e10},
        {"max_pdu": 100},
    ],
)
def test_refuses_values_that_cannot_work(change: dict[str, Any]) -> None:
    with pytest.raises(DicomError, match=next(iter(change))):
        build_peer(params(**change))


def test_the_name_to_verify_is_the_host_unless_given() -> None:
    files = {"ca_certificate": "ca.pem", "certificate": None, "private_key": None}
    assert build_peer(params(tls={**files, "server_name": None})).tls == Tls(
        "pacs.example.org", "ca.pem"
    )
    assert build_peer(params(tls={**files, "server_name": "other"})).tls == Tls("other", "ca.pem")


UNENCODABLE = [
    "",
    " ",
    ".pacs",
    "pacs..example.org",
    "a" * 70,
    "a" * 70 + ".example.org",
    "pacs\0",
    "pa cs",
    "pacs\n",
    "\udcff.example.org",
]


@pytest.mark.parametrize("host", UNENCODABLE)
def test_a_host_that_cannot_be_looked_up(host: str) -> None:
    with pytest.raises(DicomError, match=r"^host=") as caught:
        build_peer(params(host=host))
    assert caught.value.reason is Reason.UNKNOWN_HOST


@pytest.mark.parametrize("name", UNENCODABLE[2:])
def test_a_name_that_no_certificate_holds(name: str) -> None:
    files = {"ca_certificate": "ca.pem", "certificate": None, "private_key": None}
    with pytest.raises(DicomError, match=r"^tls.server_name=") as caught:
        build_peer(params(tls={**files, "server_name": name}))
    assert caught.value.reason is Reason.INVALID_INPUT


@pytest.mark.parametrize(
    "host", ["pacs", "pacs.example.org.", "127.0.0.1", "::1", "fe80::1%eth0", "röntgen.example.org"]
)
def test_names_and_addresses_that_can(host: str) -> None:
    assert build_peer(params(host=host)).host == host
