# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the lookup pki_state says of folders in all kinds of states."""

from __future__ import annotations

import base64
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openpacs.dicoogle.plugins.lookup.pki_state import state
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from support.certificates import Issued, issue, write

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


def read(folder: Path, now: datetime | None = None, **options: Any) -> dict[str, Any]:
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
            "csrs": {},
            "revoked": [],
            "overlap": [],
            "passphrase": "",
            "signing_ca": 1,
            "oldest_ca": 1,
            **options,
        },
        now or datetime.now(UTC),
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
    (target / "private_key.pem").chmod(0o600)
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


def test_clock_behind_the_authority_is_told(folder: Path, authority: Issued) -> None:
    (refused,) = read(folder, now=datetime(2016, 1, 1, tzinfo=UTC))["refused"]
    assert f"{folder}/ca/1/certificate.pem is valid from" in refused
    assert "the clock of this machine says 2016-01-01 00:00 UTC. Set the clock." in refused


def test_authority_that_signs_no_more_needs_no_passphrase(folder: Path, authority: Issued) -> None:
    assert "passphrase" in read(folder)["refused"][0]
    assert read(folder, signing_ca=2)["refused"] == []
    assert read(folder, signing_ca=2)["bundle"] == authority.path.read_text()


def test_withdrawn_authority_is_neither_trusted_nor_replaced_by_its_number(
    folder: Path, authority: Issued
) -> None:
    found = read(folder, oldest_ca=4)
    assert found["bundle"] == ""
    assert [new["number"] for new in found["new_authorities"]] == [4]
    assert found["new_authorities"][0]["reason"] == "pki_oldest_ca is 4"


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


# --- generations -------------------------------------------------------------------------------

CLIENT = {"unit": "client", "uses": ["clientAuth"]}


def client(folder: Path, authority: Issued, number: int, days: float = 300, age: float = 1) -> Path:
    """Issue the client a pair and put it on record; the last one is in use."""
    name = f"client.{number}.x.internal"
    issued = issue(folder, name, authority, days=days, age=age, names=[name], **CLIENT)
    (folder / "issued").mkdir(exist_ok=True)
    (folder / f"issued/client.{number}.pem").write_text(issued.path.read_text())
    (folder / "leaves/client").unlink(missing_ok=True)
    return put_in_use(folder, issued, "client", number)


def test_those_let_in_by_name_have_their_generation_in_it(folder: Path, authority: Issued) -> None:
    assert leaf(folder, "client")["allowed"] == ["client.1.x.internal"]
    assert leaf(folder, "tunnel")["profile"]["common_name"] == "tunnel.x.internal"
    client(folder, authority, 7)
    found = leaf(folder, "client")
    assert found["problems"] == []
    assert found["allowed"] == ["client.7.x.internal"]


def test_pair_in_the_folder_of_another_generation_is_due(folder: Path, authority: Issued) -> None:
    client(folder, authority, 1).rename(folder / "leaves/client.2")
    (folder / "leaves/client").unlink()
    (folder / "leaves/client").symlink_to("client.2")
    found = leaf(folder, "client")
    assert "its common name should be client.2.x.internal" in found["problems"][0]
    assert found["allowed"] == ["client.3.x.internal"]


def test_number_comes_never_twice(folder: Path, authority: Issued) -> None:
    shutil.rmtree(client(folder, authority, 4))
    (folder / "leaves/client").unlink()
    found = leaf(folder, "client")
    assert found["folder"] == str(folder / "leaves/client.5")
    assert found["record"] == str(folder / "issued/client.5.pem")


def test_revoked_pair_is_due_and_not_allowed(folder: Path, authority: Issued) -> None:
    client(folder, authority, 1, days=10)
    found = leaf(folder, "client", revoked=["client.1"], overlap=["client"])
    assert found["problems"] == ["client.1 is in pki_revoked"]
    assert found["allowed"] == ["client.2.x.internal"]


@pytest.mark.parametrize(
    ("days_left", "options", "allowed"),
    [
        (10, {"overlap": ["client"]}, [2, 1]),
        (10, {"overlap": []}, [2]),
        (10, {"overlap": ["client"], "revoked": ["client.1"]}, [2]),
        (300, {"overlap": ["client"]}, [2]),  # not its age, so it was lost or is wrong
        (-10, {"overlap": ["client"]}, [2, 1]),  # refused for its age, and no task is started anew
    ],
)
def test_last_generation_stays_allowed_when_it_was_renewed_for_its_age(
    folder: Path, authority: Issued, days_left: float, options: dict[str, Any], allowed: list[int]
) -> None:
    client(folder, authority, 1, days=days_left, age=20)
    client(folder, authority, 2, age=15 if days_left < 0 else 1)
    found = leaf(folder, "client", **options)
    assert found["problems"] == []
    assert found["allowed"] == [f"client.{number}.x.internal" for number in allowed]


def test_only_the_last_generation_overlaps(folder: Path, authority: Issued) -> None:
    for number in (1, 2, 3):
        client(folder, authority, number, days=10)
    found = leaf(folder, "client", overlap=["client"])
    assert "expires on" in found["problems"][0]
    assert found["allowed"] == ["client.4.x.internal", "client.3.x.internal"]


# --- requests for keys that are elsewhere ------------------------------------------------------


def request(path: Path, key: Any = None, *, ca: bool = False, digest: Any = None) -> Path:
    """Write a certificate signing request."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    if ca:
        builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    key = key or ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(builder.sign(key, digest or SHA256()).public_bytes(Encoding.PEM))
    return path


def refusals(folder: Path, csr: Path, **options: Any) -> list[str]:
    found = leaf(folder, "client", csrs={"client": str(csr)}, **options)
    assert found["problems"] == ([] if found["refused"] else ["there is none yet"])
    return list(found["refused"])


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
        rsa.generate_private_key(65537, 2048),
    ],
)
def test_fit_request_is_signed(folder: Path, authority: Issued, key: Any) -> None:
    csr = request(folder / "a.csr", key)
    assert refusals(folder, csr) == []
    assert leaf(folder, "client", csrs={"client": str(csr)})["leaf"]["private_key"] is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"ca": True}, "asks for the certificate of a CA"),
        ({"key": rsa.generate_private_key(65537, 1024)}, "a key that not all"),
        ({"key": ec.generate_private_key(ec.SECP256K1())}, "a key that not all"),
        ({"key": ec.generate_private_key(ec.SECP224R1())}, "a key that not all"),
    ],
)
def test_unfit_request_is_refused(
    folder: Path, authority: Issued, options: dict[str, Any], sentence: str
) -> None:
    (refusal,) = refusals(folder, request(folder / "a.csr", **options))
    assert refusal.startswith(f"{folder}/a.csr ")
    assert sentence in refusal


def test_forged_request_is_refused(folder: Path, authority: Issued) -> None:
    csr = request(folder / "a.csr")
    der = bytearray(x509.load_pem_x509_csr(csr.read_bytes()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    text = base64.encodebytes(der).decode()
    csr.write_text(
        f"-----BEGIN CERTIFICATE REQUEST-----\n{text}-----END CERTIFICATE REQUEST-----\n"
    )
    assert "its signature does not fit its key" in refusals(folder, csr)[0]


def test_request_beside_its_key_is_refused(folder: Path, authority: Issued) -> None:
    csr = request(folder / "a.csr")
    csr.write_text(csr.read_text() + "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    assert "holds a private key" in refusals(folder, csr)[0]


@pytest.mark.parametrize("text", [None, "", "no request", "-----BEGIN CERTIFICATE REQUEST-----"])
def test_what_is_no_request_is_refused(folder: Path, authority: Issued, text: str | None) -> None:
    if text is not None:
        (folder / "a.csr").write_text(text)
    sentence = "cannot be read" if text is None else "is not a certificate signing request in PEM"
    assert sentence in refusals(folder, folder / "a.csr")[0]


def test_key_of_another_holder_is_refused(folder: Path, authority: Issued) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    csrs = {name: str(request(folder / f"{name}.csr", key)) for name in ("client", "ct-1")}
    profiles = {**PROFILES, "ct-1": PROFILES["client"]}
    found = read(folder, csrs=csrs, profiles=profiles)["leaves"]
    assert [entry["refused"] for entry in found if entry["refused"]] == [
        [f"{csrs[name]} has the key of {other}. {NEW_KEY}"]
        for name, other in (("client", "ct-1"), ("ct-1", "client"))
    ]


NEW_KEY = "Make a new key for it: a key is known to one holder, and is lost with its certificate."


def test_new_request_gets_a_new_certificate_and_the_same_one_none(
    folder: Path, authority: Issued
) -> None:
    target = client(folder, authority, 1)
    key = load_pem_private_key((target / "private_key.pem").read_bytes(), None)
    (target / "private_key.pem").unlink()
    csr = request(folder / "a.csr", key)
    assert leaf(folder, "client", csrs={"client": str(csr)})["problems"] == []
    request(csr)
    assert leaf(folder, "client", csrs={"client": str(csr)})["problems"] == [
        f"{csr} asks for another key"
    ]


# --- certificates of the user's own ------------------------------------------------------------

SERVER = {"names": ["nginx.x.internal"], "uses": ["serverAuth"]}


def own(folder: Path, hospital: Issued, issued: Issued, name: str = "nginx") -> dict[str, Any]:
    return leaf(folder, name, own={name: issued.files()}, own_ca_bundle=str(hospital.path))


def test_own_certificate_is_taken_as_it_is(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, days=5, **SERVER)
    found = own(folder, hospital, issued)
    assert found["refused"] == []
    assert found["leaf"]["common_name"] == "web.hospital.org"
    assert found["leaf"]["certificate"] == str(issued.path)


def test_own_certificate_may_have_a_wildcard_and_no_usages(
    folder: Path, hospital: Issued, tmp_path: Path
) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, names=["*.x.internal"])
    assert own(folder, hospital, issued)["refused"] == []


def test_own_client_needs_no_names(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    issued = issue(tmp_path, "ct-1", hospital, uses=["clientAuth"])
    assert own(folder, hospital, issued, "client")["refused"] == []


def test_own_chain_with_intermediate(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    between = issue(tmp_path, "Department CA", hospital, authority=True)
    issued = issue(tmp_path, "web.hospital.org", between, **SERVER)
    assert "Department CA" in own(folder, hospital, issued)["refused"][0]
    issued.path.write_text(issued.path.read_text() + between.path.read_text())
    assert own(folder, hospital, issued)["refused"] == []


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
    problem = own(folder, hospital, issued)["refused"]
    assert len(problem) == 1
    assert problem[0].startswith(f"{issued.path} {sentence}")


def test_own_certificate_without_common_name(
    folder: Path, hospital: Issued, tmp_path: Path
) -> None:
    issued = issue(tmp_path, "", hospital, uses=["clientAuth"])
    assert "has no common name" in own(folder, hospital, issued, "client")["refused"][0]


def test_own_certificate_that_is_missing(folder: Path, hospital: Issued, tmp_path: Path) -> None:
    issued = issue(tmp_path, "web.hospital.org", hospital, **SERVER)
    issued.path.unlink()
    assert own(folder, hospital, issued)["refused"] == [
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
