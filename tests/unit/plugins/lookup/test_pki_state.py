# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the lookup pki_state says of folders in all kinds of states."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.lookup.pki_state import state
from certificates import Issued, issue, write

PROFILES = {
    "nginx": {"organizational_unit": "web", "uses": ["serverAuth"]},
    "tunnel": {
        "organizational_unit": "archive",
        "uses": ["serverAuth", "clientAuth"],
        "other_names": ["storage-in"],
    },
    "client": {"organizational_unit": "client", "uses": ["clientAuth"], "services": ["store"]},
}
NGINX = {"unit": "web", "names": ["nginx.x.internal"], "uses": ["serverAuth"]}


def read(folder: Path, **options: Any) -> dict[str, Any]:
    return state(
        folder,
        {
            "profiles": PROFILES,
            "domain": "x.internal",
            "own": {},
            "own_ca_bundle": "",
            "leaf_days": 397,
            "renew_before_days": 30,
            "ca_overlap_days": 90,
            **options,
        },
        datetime.now(UTC),
    )


def leaf(folder: Path, name: str = "nginx", **options: Any) -> dict[str, Any]:
    return next(entry for entry in read(folder, **options)["leaves"] if entry["name"] == name)


@pytest.fixture
def hospital(tmp_path: Path) -> Issued:
    folder = tmp_path / "hospital"
    folder.mkdir()
    return issue(folder, "Hospital CA", days=3000, authority=True)


def add_authority(folder: Path, number: int, days: float) -> Issued:
    target = folder / "ca" / str(number)
    target.mkdir(parents=True)
    authority = issue(folder, f"CA {number}", days=days, authority=True)
    write(authority, target / "certificate.pem", target / "private_key.pem")
    return authority


def put_in_use(folder: Path, issued: Issued, name: str = "nginx", number: int = 1) -> Path:
    target = folder / "leaves" / f"{name}.{number}"
    target.mkdir(parents=True)
    write(issued, target / "certificate.pem", target / "private_key.pem")
    (folder / "leaves" / name).symlink_to(target.name)
    return target


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "pki"
    path.mkdir()
    return path


@pytest.fixture
def authority(folder: Path) -> Issued:
    return add_authority(folder, 1, days=3650)


# --- CAs ---------------------------------------------------------------------------------------


def test_empty_folder_needs_everything(folder: Path) -> None:
    found = read(folder)
    assert found["new_authorities"] == [
        {"folder": str(folder / "ca/1"), "number": 1, "reason": "there is none yet"}
    ]
    assert found["signer"] == {}
    assert found["bundle"] == ""
    assert [entry["problems"] for entry in found["leaves"]] == [["there is none yet"]] * 3


def test_long_lived_authority_stays(folder: Path, authority: Issued) -> None:
    found = read(folder)
    assert found["new_authorities"] == []
    assert found["signer"]["certificate"] == str(folder / "ca/1/certificate.pem")
    assert found["bundle"] == authority.path.read_text()


def test_overlap_adds_an_authority_while_the_old_one_signs(folder: Path) -> None:
    old = add_authority(folder, 1, days=397 + 60)
    assert [new["number"] for new in read(folder)["new_authorities"]] == [2]
    new = add_authority(folder, 2, days=3650)
    found = read(folder)
    assert found["new_authorities"] == []
    assert found["signer"]["certificate"] == str(folder / "ca/1/certificate.pem")
    assert found["bundle"] == old.path.read_text() + new.path.read_text()


def test_authority_that_ends_before_a_new_leaf_signs_no_more_and_stays_trusted(
    folder: Path,
) -> None:
    old = add_authority(folder, 1, days=300)
    add_authority(folder, 2, days=3650)
    put_in_use(folder, issue(folder, "nginx.x.internal", old, **NGINX))
    assert read(folder)["signer"]["certificate"] == str(folder / "ca/2/certificate.pem")
    assert leaf(folder)["problems"] == []


def test_expired_authority_leaves_the_bundle_and_is_trusted_no_more(folder: Path) -> None:
    old = add_authority(folder, 1, days=-0.1)
    new = add_authority(folder, 2, days=3650)
    put_in_use(folder, issue(folder, "nginx.x.internal", old, **NGINX))
    assert read(folder)["bundle"] == new.path.read_text()
    assert "not signed by a CA" in leaf(folder)["problems"][0]


def test_authority_without_its_key_is_replaced_and_stays_trusted(
    folder: Path, authority: Issued
) -> None:
    (folder / "ca/1/private_key.pem").unlink()
    found = read(folder)
    assert found["new_authorities"][0]["reason"].endswith("private_key.pem is missing")
    assert found["bundle"] == authority.path.read_text()


def test_folder_of_a_killed_run_is_never_used_again(folder: Path) -> None:
    (folder / "ca/1").mkdir(parents=True)
    (folder / "ca/1/private_key.pem").write_text("a key without certificate")
    assert [new["number"] for new in read(folder)["new_authorities"]] == [2]


# --- certificates that we issue ----------------------------------------------------------------


def test_fitting_certificate_stays(folder: Path, authority: Issued) -> None:
    issued = issue(folder, "nginx.x.internal", authority, **NGINX)
    put_in_use(folder, issued)
    found = leaf(folder)
    assert found["problems"] == []
    assert found["leaf"]["certificate"] == str(folder / "leaves/nginx/certificate.pem")
    assert found["leaf"]["not_after"] == issued.certificate.not_valid_after_utc.strftime(
        "%Y-%m-%dT%H:%M:%SZ"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"days": 20}, r"expires on .*, in 19 days"),
        ({"days": -0.5}, r"expired on "),
        ({"names": ["other.x.internal"]}, r"its names should be nginx.x.internal, not other"),
        ({"uses": ["clientAuth"]}, r"its uses should be serverAuth, not clientAuth"),
        ({"unit": "client"}, r"its organizational unit should be web, not client"),
    ],
)
def test_certificate_is_due(
    folder: Path, authority: Issued, change: dict[str, Any], reason: str
) -> None:
    put_in_use(folder, issue(folder, "nginx.x.internal", authority, **{**NGINX, **change}))
    found = leaf(folder)
    assert len(found["problems"]) == 1
    assert re.search(reason, found["problems"][0])
    assert found["leaf"]["certificate"] == str(folder / "leaves/nginx.2/certificate.pem")
    assert found["leaf"]["fingerprint"] is None
    assert found["replaces"] == [str(folder / "leaves/nginx.1")]


def test_certificate_of_another_name_is_due(folder: Path, authority: Issued) -> None:
    put_in_use(folder, issue(folder, "old.x.internal", authority, **NGINX))
    assert leaf(folder)["problems"] == [
        "its common name should be nginx.x.internal, not old.x.internal"
    ]


def test_certificate_with_another_key_is_due(folder: Path, authority: Issued) -> None:
    target = put_in_use(folder, issue(folder, "nginx.x.internal", authority, **NGINX))
    other = issue(folder, "nginx.x.internal", authority, **NGINX)
    (target / "private_key.pem").write_bytes(other.key_path.read_bytes())
    assert [p.partition(" does not fit ")[1] for p in leaf(folder)["problems"]] == [
        " does not fit "
    ]


@pytest.mark.parametrize("file", ["certificate.pem", "private_key.pem"])
def test_damaged_pair_is_due(folder: Path, authority: Issued, file: str) -> None:
    target = put_in_use(folder, issue(folder, "nginx.x.internal", authority, **NGINX))
    (target / file).write_text("damaged")
    assert "PEM format" in leaf(folder)["problems"][0]


def test_certificate_of_a_foreign_authority_is_due(
    folder: Path, authority: Issued, hospital: Issued
) -> None:
    put_in_use(folder, issue(folder, "nginx.x.internal", hospital, **NGINX))
    assert "not signed by a CA that is trusted" in leaf(folder)["problems"][0]


def test_certificate_of_an_authority_with_the_same_name_is_due(
    folder: Path, authority: Issued, tmp_path: Path
) -> None:
    impostor = issue(tmp_path, "CA 1", authority=True)
    put_in_use(folder, issue(folder, "nginx.x.internal", impostor, **NGINX))
    assert "not signed by a CA that is trusted" in leaf(folder)["problems"][0]


# --- certificates of the user's own ------------------------------------------------------------

SERVER = {"names": ["nginx.x.internal"], "uses": ["serverAuth"]}


def own(folder: Path, hospital: Issued, issued: Issued, name: str = "nginx") -> dict[str, Any]:
    return leaf(folder, name, own={name: issued.files()}, own_ca_bundle=str(hospital.path))


def test_own_certificate_is_taken_as_it_is(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, days=5, **SERVER)
    found = own(folder, hospital, issued)
    assert found["problems"] == []
    assert found["leaf"]["common_name"] == "web.hospital.org"
    assert found["leaf"]["certificate"] == str(issued.path)


def test_own_certificate_may_have_a_wildcard_and_no_usages(
    folder: Path, hospital: Issued, tmp_path: Path
) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, names=["*.x.internal"])
    assert own(folder, hospital, issued)["problems"] == []


def test_own_client_needs_no_names(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    issued = issue(tmp_path, "ct-1", hospital, uses=["clientAuth"])
    assert own(folder, hospital, issued, "client")["problems"] == []


def test_own_chain_with_intermediate(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    between = issue(tmp_path, "Department CA", hospital, authority=True)
    issued = issue(tmp_path, "web.hospital.org", between, **SERVER)
    assert "Department CA" in own(folder, hospital, issued)["problems"][0]
    issued.path.write_text(issued.path.read_text() + between.path.read_text())
    assert own(folder, hospital, issued)["problems"] == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"days": -0.5}, "expired on"),
        ({"age": -1}, "is not valid before"),
        ({"uses": ["clientAuth"]}, "is not for serverAuth, only for clientAuth"),
        ({"names": ["web.hospital.org"]}, "does not name nginx.x.internal"),
    ],
)
def test_own_certificate_that_cannot_serve(
    folder: Path, hospital: Issued, tmp_path: Path, change: dict[str, Any], sentence: str
) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, **{**SERVER, **change})
    problem = own(folder, hospital, issued)["problems"]
    assert len(problem) == 1
    assert problem[0].startswith(f"{issued.path} {sentence}")


def test_own_certificate_without_common_name(
    folder: Path, hospital: Issued, tmp_path: Path
) -> None:
    issued = issue(tmp_path, "", hospital, uses=["clientAuth"])
    assert "has no common name" in own(folder, hospital, issued, "client")["problems"][0]


def test_own_certificate_that_is_missing(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, **SERVER)
    issued.path.unlink()
    assert own(folder, hospital, issued)["problems"] == [
        f"{issued.path} cannot be read (No such file or directory). Correct the path or its mode."
    ]


def test_own_certificates_for_all_need_no_authority(
    folder: Path, hospital: Issued, tmp_path: Path
) -> None:
    issued = issue(tmp_path, "all.hospital.org", hospital, names=["*.x.internal"])
    found = read(
        folder,
        own=dict.fromkeys(PROFILES, issued.files()),
        own_ca_bundle=str(hospital.path),
    )
    assert found["new_authorities"] == []
    assert found["bundle"] == hospital.path.read_text()


def test_bundle_holds_own_authorities_and_ours(
    folder: Path, authority: Issued, hospital: Issued, tmp_path: Path
) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, **SERVER)
    found = read(folder, own={"nginx": issued.files()}, own_ca_bundle=str(hospital.path))
    assert found["bundle"] == hospital.path.read_text() + authority.path.read_text()


def test_own_bundle_that_is_no_certificate_is_named(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "bundle.pem").write_text("no certificate")
    with pytest.raises(ValueError, match=r"bundle.pem is not a certificate in PEM format"):
        read(folder, own_ca_bundle=str(tmp_path / "bundle.pem"))
