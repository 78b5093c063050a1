# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Role pki, run for real on a folder."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from support import CHECKOUT
from support.certificates import Issued, issue, write
from support.role_runs import Run, Runner

HOLDERS = ["administrator", "client", "ghostunnel", "nginx", "storage"]


@pytest.fixture(scope="session")
def first(runner: Runner, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Run]:
    """Return the folder and the output of a first run, with every detail printed."""
    folder = tmp_path_factory.mktemp("first") / "pki"
    return folder, runner("pki", {"pki_dir": str(folder)}, "-vvv", "--diff")


@pytest.fixture
def folder(first: tuple[Path, Run], tmp_path: Path) -> Path:
    """Return a copy of what the first run made."""
    return Path(shutil.copytree(first[0], tmp_path / "pki", symlinks=True))


def openssl_accepts(folder: Path, holder: str, purpose: str) -> bool:
    command = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-CAfile"]
    files = [folder / "ca-bundle.pem", folder / "leaves" / holder / "certificate.pem"]
    return not subprocess.run([*command, *files], capture_output=True, check=False).returncode


def fits(folder: Path, holder: str) -> bool:
    pair = folder / "leaves" / holder
    key = load_pem_private_key((pair / "private_key.pem").read_bytes(), password=None)
    certificate = x509.load_pem_x509_certificate((pair / "certificate.pem").read_bytes())
    return key.public_key() == certificate.public_key()


def certificates(folder: Path) -> dict[str, str]:
    return {name: (folder / "leaves" / name / "certificate.pem").read_text() for name in HOLDERS}


def replaced(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name in HOLDERS if before[name] != after[name]]


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- the first run -----------------------------------------------------------------------------


def test_first_run_issues_for_every_holder(first: tuple[Path, Run]) -> None:
    folder, run = first
    assert not run.failed, run.output
    assert sorted(run.published["leaves"]) == HOLDERS
    assert run.published["ca_bundle"] == str(folder / "ca-bundle.pem")
    assert run.published["leaves"]["nginx"]["common_name"] == "nginx.dicoogle.internal"
    assert run.published["storage_clients"] == ["client.1.dicoogle.internal"]
    assert run.published["query_clients"] == ["client.1.dicoogle.internal"]
    assert run.published["administrators"] == ["administrator.1.dicoogle.internal"]
    assert all(fits(folder, holder) for holder in HOLDERS)


@pytest.mark.parametrize(
    ("holder", "server", "client"),
    [
        ("nginx", True, False),
        ("ghostunnel", True, True),
        ("client", False, True),
        ("administrator", False, True),
        ("storage", True, False),
    ],
)
def test_certificates_serve_their_uses_and_no_others(
    first: tuple[Path, Run], holder: str, server: bool, client: bool
) -> None:
    assert openssl_accepts(first[0], holder, "sslserver") is server
    assert openssl_accepts(first[0], holder, "sslclient") is client


def test_tunnel_answers_to_the_names_that_clients_dial(first: tuple[Path, Run]) -> None:
    leaf = x509.load_pem_x509_certificate(
        (first[0] / "leaves/ghostunnel/certificate.pem").read_bytes()
    )
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {
        "ghostunnel.dicoogle.internal",
        "storage-in.dicoogle.internal",
        "query-in.dicoogle.internal",
    }


def test_nobody_else_reads_the_folder(first: tuple[Path, Run]) -> None:
    folder = first[0]
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o777
            assert mode == (0o700 if path.is_dir() else 0o600), path


def test_key_of_the_authority_is_encrypted(first: tuple[Path, Run]) -> None:
    key = (first[0] / "ca/1/private_key.pem").read_bytes()
    assert key.startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    with pytest.raises(TypeError, match="encrypted"):
        load_pem_private_key(key, password=None)
    assert load_pem_private_key(key, (first[0] / "ca-passphrase").read_bytes())


def test_no_key_and_no_passphrase_is_printed(first: tuple[Path, Run]) -> None:
    folder, run = first
    assert "PRIVATE KEY" not in run.output
    secrets = [(folder / "ca-passphrase").read_text()]
    for key in folder.rglob("private_key.pem"):
        secrets += key.read_text().splitlines()[1:3]  # the rest of the file is the public key
    assert len(secrets) > 2 * len(HOLDERS)
    assert [secret for secret in secrets if secret in run.output] == []


def test_preview_of_a_first_run_writes_nothing(runner: Runner, tmp_path: Path) -> None:
    run = runner("pki", {"pki_dir": str(tmp_path / "pki")}, "--check", "--diff")
    assert not run.failed, run.output
    assert run.changed == 1 + len(HOLDERS)
    assert run.published["leaves"]["nginx"]["fingerprint"] is None
    assert list(tmp_path.iterdir()) == []


# --- later runs --------------------------------------------------------------------------------


def test_second_run_changes_nothing_and_starts_no_module(runner: Runner, folder: Path) -> None:
    before = everything(folder)
    run = runner("pki", {"pki_dir": str(folder)}, "-vvv")
    assert not run.failed, run.output
    assert run.changed == 0
    assert "EXEC" not in run.output
    assert everything(folder) == before


def test_certificate_near_its_end_is_renewed_alone(runner: Runner, folder: Path) -> None:
    key = (folder / "ca/1/private_key.pem").read_bytes()
    authority = Issued(
        x509.load_pem_x509_certificate((folder / "ca/1/certificate.pem").read_bytes()),
        load_pem_private_key(key, (folder / "ca-passphrase").read_bytes()),  # type: ignore[arg-type]
        folder,
        folder,
    )
    name = "nginx.dicoogle.internal"
    short = issue(
        folder.parent, name, authority, days=29, unit="web", names=[name], uses=["serverAuth"]
    )
    pair = folder / "leaves/nginx"
    write(short, pair / "certificate.pem", pair / "private_key.pem")
    (pair / "private_key.pem").chmod(0o600)
    before = certificates(folder)

    preview = runner("pki", {"pki_dir": str(folder)}, "--check")
    assert "nginx.dicoogle.internal is issued" in preview.prose
    assert preview.changed > 0
    assert certificates(folder) == before

    run = runner("pki", {"pki_dir": str(folder)})
    assert not run.failed, run.output
    assert replaced(before, certificates(folder)) == ["nginx"]
    assert fits(folder, "nginx")
    assert not (folder / "leaves/nginx.1").exists()


def test_new_name_in_a_profile_renews_its_holder_alone(runner: Runner, folder: Path) -> None:
    profiles = yaml.safe_load((CHECKOUT / "cert/profiles.yml").read_text())
    profiles["ghostunnel"]["other_names"].append("archive")
    (folder.parent / "profiles.yml").write_text(yaml.safe_dump(profiles))
    before = certificates(folder)
    variables = {"pki_dir": str(folder), "pki_profiles": str(folder.parent / "profiles.yml")}
    run = runner("pki", variables)
    assert not run.failed, run.output
    assert replaced(before, certificates(folder)) == ["ghostunnel"]
    assert runner("pki", variables).changed == 0


def test_new_client_gets_a_certificate_and_may_store(runner: Runner, folder: Path) -> None:
    before = certificates(folder)
    run = runner("pki", {"pki_dir": str(folder), "pki_clients": ["ct-1"]})
    assert run.published["storage_clients"] == [
        "client.1.dicoogle.internal",
        "ct-1.1.dicoogle.internal",
    ]
    assert openssl_accepts(folder, "ct-1", "sslclient")
    assert certificates(folder) == before


def test_new_authority_overlaps_the_old_one(runner: Runner, folder: Path) -> None:
    old = certificates(folder)
    variables = {"pki_dir": str(folder), "pki_ca_days": 3990, "pki_ca_overlap_days": 3400}
    run = runner("pki", variables)
    assert not run.failed, run.output
    bundle = x509.load_pem_x509_certificates((folder / "ca-bundle.pem").read_bytes())
    assert [authority.subject.rfc4514_string() for authority in bundle] == [
        "CN=dicoogle Dicoogle CA 1",
        "CN=dicoogle Dicoogle CA 2",
    ]
    assert certificates(folder) == old
    assert openssl_accepts(folder, "nginx", "sslserver")
    assert runner("pki", variables).changed == 0


def make_half(pair: Path) -> None:
    """Leave what a killed run leaves of a pair."""
    pair.mkdir(parents=True)
    (pair / "private_key.pem").touch(mode=0o600)
    (pair / "private_key.pem").write_text("half made")


def test_killed_run_is_completed_by_the_next(runner: Runner, tmp_path: Path) -> None:
    folder = tmp_path / "pki"
    make_half(folder / "ca/1")
    make_half(folder / "leaves/nginx.1")
    profiles = yaml.safe_load((CHECKOUT / "cert/profiles.yml").read_text())
    few = {name: profiles[name] for name in ("nginx", "client")}
    (tmp_path / "profiles.yml").write_text(yaml.safe_dump(few))
    passphrase = "given by the user"
    variables = {
        "pki_dir": str(folder),
        "pki_ca_passphrase": passphrase,
        "pki_profiles": str(tmp_path / "profiles.yml"),
    }
    run = runner("pki", variables, "-vvv")
    assert not run.failed, run.output
    assert all(fits(folder, holder) for holder in few)
    assert openssl_accepts(folder, "nginx", "sslserver")
    assert not (folder / "ca-passphrase").exists()
    assert passphrase not in run.output
    assert runner("pki", variables).changed == 0


def test_pair_in_use_stays_whole_when_a_renewal_is_killed(runner: Runner, folder: Path) -> None:
    make_half(folder / "leaves/nginx.2")
    assert runner("pki", {"pki_dir": str(folder)}).changed == 0
    assert fits(folder, "nginx")


# --- lost pairs --------------------------------------------------------------------------------


def clients(run: Run) -> list[str]:
    return [name.removesuffix(".dicoogle.internal") for name in run.published["storage_clients"]]


def test_lost_pair_is_replaced_once_and_let_in_no_more(runner: Runner, folder: Path) -> None:
    before = certificates(folder)
    lost = {"pki_dir": str(folder), "pki_revoked": ["client.1"]}
    preview = runner("pki", lost, "--check")
    assert "client.2.dicoogle.internal is issued: client.1 is in pki_revoked" in preview.prose
    assert clients(preview) == ["client.2"]
    run = runner("pki", lost)
    assert not run.failed, run.output
    assert replaced(before, certificates(folder)) == ["client"]
    assert clients(run) == ["client.2"]
    assert fits(folder, "client")
    assert not (folder / "leaves/client.1").exists()
    assert runner("pki", lost).changed == 0
    later = runner("pki", {"pki_dir": str(folder)})
    assert (later.changed, clients(later)) == (0, ["client.2"])


def test_removed_pair_gets_a_number_that_no_pair_ever_had(runner: Runner, folder: Path) -> None:
    for path in (folder / "leaves").glob("client*"):
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    assert clients(runner("pki", {"pki_dir": str(folder)})) == ["client.2"]


@pytest.mark.parametrize("lost", ["client", "client.2", "../ca/1"])
def test_what_cannot_be_revoked_is_refused(runner: Runner, folder: Path, lost: str) -> None:
    before = everything(folder)
    run = runner("pki", {"pki_dir": str(folder), "pki_revoked": [lost]})
    assert run.failed
    assert f'pki_revoked has "{lost}"' in run.prose
    assert "one of administrator.1, client.1, ghostunnel.1, nginx.1, storage.1." in run.prose
    assert everything(folder) == before


def test_lost_pair_of_a_server_is_replaced(runner: Runner, folder: Path) -> None:
    before = certificates(folder)
    lost = {"pki_dir": str(folder), "pki_revoked": ["nginx.1"]}
    assert not runner("pki", lost).failed
    assert replaced(before, certificates(folder)) == ["nginx"]
    assert runner("pki", lost).changed == 0


# --- another CA, and a damaged one -------------------------------------------------------------


def authorities(folder: Path) -> list[str]:
    bundle = x509.load_pem_x509_certificates((folder / "ca-bundle.pem").read_bytes())
    return [each.subject.rfc4514_string().removeprefix("CN=dicoogle Dicoogle ") for each in bundle]


def test_new_authority_on_purpose_leaves_the_old_one_trusted(runner: Runner, folder: Path) -> None:
    before = certificates(folder)
    variables = {"pki_dir": str(folder), "pki_signing_ca": 2, "pki_clients": ["ct-1"]}
    run = runner("pki", variables)
    assert not run.failed, run.output
    assert "A new CA is made: pki_signing_ca is 2." in run.prose
    assert certificates(folder) == before
    assert authorities(folder) == ["CA 1", "CA 2"]
    issuer = x509.load_pem_x509_certificate((folder / "leaves/ct-1/certificate.pem").read_bytes())
    assert issuer.issuer.rfc4514_string() == "CN=dicoogle Dicoogle CA 2"
    assert runner("pki", variables).changed == 0


def test_withdrawn_authority_is_trusted_no_more(runner: Runner, folder: Path) -> None:
    before = certificates(folder)
    variables = {"pki_dir": str(folder), "pki_oldest_ca": 2}
    run = runner("pki", variables)
    assert not run.failed, run.output
    assert replaced(before, certificates(folder)) == HOLDERS
    assert authorities(folder) == ["CA 2"]
    assert openssl_accepts(folder, "client", "sslclient")
    assert runner("pki", variables).changed == 0


def test_authority_that_replaces_a_lost_one_has_another_name(
    runner: Runner, tmp_path: Path
) -> None:
    folder = tmp_path / "pki"
    run = runner("pki", {"pki_dir": str(folder), "pki_signing_ca": 2})
    assert not run.failed, run.output
    assert authorities(folder) == ["CA 2"]


@pytest.mark.parametrize(
    ("defect", "sentences"),
    [
        ("passphrase lost", ["The passphrase of", "is lost", "Restore ca-passphrase"]),
        ("passphrase wrong", ["does not open", "Give the right passphrase"]),
        ("key damaged", ["does not open", "or the file is damaged"]),
        ("key of another", ["is not the key of"]),
        ("key seen", ["can be read by others on this machine (mode 644)", "chmod -R go="]),
        ("certificate damaged", ["ca/1/certificate.pem is not a certificate in PEM format"]),
    ],
)
def test_what_would_stop_the_next_renewal_is_said_at_once(
    runner: Runner, folder: Path, defect: str, sentences: list[str]
) -> None:
    variables = {"pki_dir": str(folder)}
    authority = folder / "ca/1"
    match defect:
        case "passphrase lost":
            (folder / "ca-passphrase").unlink()
        case "passphrase wrong":
            variables["pki_ca_passphrase"] = "another"
        case "key damaged":
            (authority / "private_key.pem").write_text("damaged")
        case "key of another":
            other = folder.parent / "other"
            assert not runner("pki", {"pki_dir": str(other)}).failed
            shutil.copy(other / "ca/1/private_key.pem", authority)
            shutil.copy(other / "ca-passphrase", folder)
        case "key seen":
            (folder / "leaves/nginx/private_key.pem").chmod(0o644)
        case "certificate damaged":
            (authority / "certificate.pem").write_text("damaged")
    before = everything(folder)
    run = runner("pki", variables)
    assert run.failed
    assert [sentence for sentence in sentences if sentence not in run.prose] == []
    assert everything(folder) == before


def test_authority_whose_key_is_lost_gives_way_to_a_new_one(runner: Runner, folder: Path) -> None:
    (folder / "ca-passphrase").unlink()
    before = certificates(folder)
    run = runner("pki", {"pki_dir": str(folder), "pki_signing_ca": 2})
    assert not run.failed, run.output
    assert certificates(folder) == before


# --- keys that stay where they were made -------------------------------------------------------


def request(folder: Path, *options: str) -> Path:
    """Make a key and a request as a hospital might, and return the request."""
    path, key = folder / "scanner.csr", folder / "scanner.key"
    new = ["openssl", "req", "-new", "-nodes", "-subj", "/CN=administrator.1.dicoogle.internal"]
    subprocess.run(
        [*new, "-newkey", "rsa:2048", "-keyout", key, "-out", path, *options],
        check=True,
        capture_output=True,
    )
    return path


def test_request_is_signed_for_its_holder_and_no_key_is_made(
    runner: Runner, folder: Path, tmp_path: Path
) -> None:
    csr = request(tmp_path, "-addext", "subjectAltName=DNS:nginx.dicoogle.internal")
    variables = {
        "pki_dir": str(folder),
        "pki_clients": ["ct-1"],
        "pki_csrs": {"ct-1": str(csr)},
    }
    run = runner("pki", variables)
    assert not run.failed, run.output
    assert clients(run) == ["client.1", "ct-1.1"]
    assert run.published["leaves"]["ct-1"]["private_key"] is None
    assert openssl_accepts(folder, "ct-1", "sslclient")
    assert not openssl_accepts(folder, "ct-1", "sslserver")
    signed = x509.load_pem_x509_certificate((folder / "leaves/ct-1/certificate.pem").read_bytes())
    assert signed.subject.rfc4514_string() == "OU=client,CN=ct-1.1.dicoogle.internal"
    names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["ct-1.1.dicoogle.internal"]
    key = load_pem_private_key((tmp_path / "scanner.key").read_bytes(), password=None)
    assert key.public_key() == signed.public_key()
    assert os.listdir(folder / "leaves/ct-1") == ["certificate.pem"]
    assert runner("pki", variables).changed == 0


def test_lost_key_is_not_signed_again(runner: Runner, folder: Path, tmp_path: Path) -> None:
    variables = {"pki_dir": str(folder), "pki_csrs": {"client": str(request(tmp_path))}}
    assert clients(runner("pki", variables)) == ["client.2"]
    before = everything(folder)
    run = runner("pki", {**variables, "pki_revoked": ["client.2"]})
    assert run.failed
    assert "scanner.csr has the key of client.2. Make a new key" in run.prose
    assert everything(folder) == before


def test_request_for_a_server_is_refused(runner: Runner, tmp_path: Path) -> None:
    run = runner("pki", {"pki_dir": str(tmp_path / "pki"), "pki_csrs": {"nginx": "nginx.csr"}})
    assert run.failed
    assert 'pki_csrs has "nginx". Name one of client, administrator that' in run.prose


# --- certificates of the user's own ------------------------------------------------------------

SERVER: dict[str, Any] = {"names": ["*.dicoogle.internal"], "uses": ["serverAuth"]}


@pytest.fixture
def hospital(tmp_path: Path) -> Issued:
    return issue(tmp_path, "Hospital CA", authority=True)


def own(hospital: Issued, folder: Path, files: dict[str, str]) -> dict[str, Any]:
    return {
        "pki_dir": str(folder),
        "pki_own": {"nginx": files},
        "pki_own_ca_bundle": str(hospital.path),
    }


def test_own_certificate_is_used_where_it_lies(
    runner: Runner, folder: Path, hospital: Issued
) -> None:
    mine = issue(folder.parent, "pacs.hospital.org", hospital, **SERVER)
    run = runner("pki", own(hospital, folder, mine.files()))
    assert not run.failed, run.output
    assert run.published["leaves"]["nginx"]["certificate"] == str(mine.path)
    assert run.published["leaves"]["nginx"]["common_name"] == "pacs.hospital.org"
    assert hospital.path.read_text() in (folder / "ca-bundle.pem").read_text()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"days": -0.5}, "expired on"),
        ({"uses": ["clientAuth"]}, "is not for serverAuth, only for clientAuth"),
        ({"issuer": "Foreign CA"}, "is not signed by a CA that is trusted and valid"),
        ({"key": "other"}, "does not fit"),
    ],
)
def test_own_certificate_that_cannot_serve_is_refused_before_anything_is_touched(
    runner: Runner, tmp_path: Path, hospital: Issued, change: dict[str, Any], sentence: str
) -> None:
    options = {**SERVER, **{name: change[name] for name in ("days", "uses") if name in change}}
    issuer = issue(tmp_path, change["issuer"], authority=True) if "issuer" in change else hospital
    mine = issue(tmp_path, "pacs.hospital.org", issuer, **options)
    if "key" in change:
        mine.key_path.write_bytes(issue(tmp_path, "other", hospital).key_path.read_bytes())
    run = runner("pki", own(hospital, tmp_path / "pki", mine.files()))
    assert run.failed
    assert re.search(rf"{mine.path}[^.]* {sentence}|{sentence} {mine.path}", run.prose)
    assert not (tmp_path / "pki").exists()


# --- refusals ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"pki_private_domain_name": "Internal"}, 'pki_private_domain_name is "Internal"'),
        ({"pki_private_domain_name": "dicoogle.internal\n"}, "Give a DNS name in lower case"),
        ({"pki_clients": ["CT 1"]}, 'pki_clients has "CT 1"'),
        ({"pki_clients": ["ct\n"]}, "pki_clients has"),
        ({"pki_clients": ["nginx"]}, 'pki_clients has "nginx"'),
        ({"pki_clients": ["ct", "ct"]}, 'pki_clients has "ct"'),
        ({"pki_clients": ["c" * 60]}, "has more than 64 characters"),
        ({"pki_renew_before_days": 397}, "must live longer than 397 days"),
        ({"pki_ca_days": 400}, "a CA of 400 days"),
        ({"pki_own": {"ngnix": {}}}, 'pki_own has "ngnix"'),
        ({"pki_own": {"nginx": {"certificate": "a", "private_key": "b"}}}, "which is not a file"),
        ({"ansible_connection": "ssh"}, "localhost is reached by ssh"),
    ],
)
def test_bad_input_is_refused(
    runner: Runner, tmp_path: Path, variables: dict[str, Any], sentence: str
) -> None:
    run = runner("pki", {"pki_dir": str(tmp_path / "pki"), **variables})
    assert run.failed
    assert sentence in run.prose
    assert os.listdir(tmp_path) == []
