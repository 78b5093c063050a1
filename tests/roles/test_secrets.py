# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Role secrets, with a stand-in for the module that calls AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml
from support import CHECKOUT
from support.certificates import issue
from support.role_runs import Runner


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, Any]:
    """Return what the roles before this one publish, and where to keep things."""
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    authority = issue(certificates, "CA", authority=True)
    leaves = {}
    for name in ("nginx", "ghostunnel"):
        leaf = issue(certificates, name, authority)
        leaves[name] = {**leaf.files(), "common_name": name, "fingerprint": "00"}
    return {
        "secrets_dir": str(tmp_path / "secrets"),
        "prerequisites_result": {
            "account": "123456789012",
            "partition": "aws",
            "region": "eu-central-1",
            "kms_key_arn": "arn:aws:kms:eu-central-1:123456789012:key/1",
            "tags": {"store": str(tmp_path / "store.json")},
        },
        "pki_result": {"ca_bundle": str(authority.path), "leaves": leaves},
    }


def stored(tmp_path: Path) -> dict[str, dict[str, str]]:
    return json.loads((tmp_path / "store.json").read_text())


def test_secrets_are_stored_once_and_never_printed(
    runner: Runner, tmp_path: Path, variables: dict[str, Any]
) -> None:
    run = runner("secrets", variables, "-vvv", "--diff")
    assert not run.failed, run.output
    assert sorted(run.published["arns"]) == ["dicoogle", "ghostunnel", "nginx"]
    values = stored(tmp_path)
    password = (tmp_path / "secrets/admin-password").read_text()
    hashed = values["dicoogle/dicoogle"]["admin_password_hash"]
    assert bcrypt.checkpw(password.encode(), hashed.encode())
    for holder in ("nginx", "ghostunnel"):
        assert values[f"dicoogle/{holder}"] == {
            "certificate": (tmp_path / f"certificates/{holder}.pem").read_text(),
            "private_key": (tmp_path / f"certificates/{holder}.key").read_text(),
            "ca_bundle": (tmp_path / "certificates/CA.pem").read_text(),
        }
    for secret in [password, *(text for value in values.values() for text in value.values())]:
        assert secret.strip().splitlines()[-1 if "-----" not in secret else 1] not in run.output
    assert [path.stat().st_mode & 0o777 for path in (tmp_path / "secrets").iterdir()] == [0o600] * 2
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700

    again = runner("secrets", variables)
    assert again.changed == 0
    assert again.published == run.published


def test_new_password_is_hashed_anew_and_changes_only_its_secret(
    runner: Runner, tmp_path: Path, variables: dict[str, Any]
) -> None:
    passwords = ["first of two", "second of two"]
    seen, versions = [], set()
    for password in passwords:
        run = runner("secrets", {**variables, "secrets_admin_password": password}, "-vvv", "--diff")
        assert not run.failed, run.output
        assert password not in run.output
        seen.append(stored(tmp_path))
        versions.add(run.published["version"])
    before, after = seen
    assert [name for name in before if before[name] != after[name]] == ["dicoogle/dicoogle"]
    hashed = after["dicoogle/dicoogle"]["admin_password_hash"]
    assert bcrypt.checkpw(passwords[1].encode(), hashed.encode())
    assert len(versions) == 2
    assert not (tmp_path / "secrets/admin-password").exists()


def test_preview_of_a_first_run_writes_nothing_and_gives_arns_for_the_stack(
    runner: Runner, tmp_path: Path, variables: dict[str, Any]
) -> None:
    planned = {"certificate": "/none/c.pem", "private_key": "/none/k.pem", "fingerprint": None}
    variables["pki_result"] = {
        "ca_bundle": "/none/ca.pem",
        "leaves": {"nginx": planned, "ghostunnel": planned},
    }
    before = sorted(tmp_path.iterdir())
    run = runner("secrets", variables, "--check", "--diff")
    assert not run.failed, run.output
    assert run.published["arns"]["nginx"] == (
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:dicoogle/nginx-xxxxxx"
    )
    assert sorted(tmp_path.iterdir()) == before


def test_password_of_more_than_71_bytes_is_refused(
    runner: Runner, tmp_path: Path, variables: dict[str, Any]
) -> None:
    run = runner("secrets", {**variables, "secrets_admin_password": "ä" * 36})
    assert run.failed
    assert "secrets_admin_password has 72 bytes" in run.prose
    assert not (tmp_path / "secrets").exists()


def test_lost_password_of_an_environment_is_not_replaced(
    runner: Runner, tmp_path: Path, variables: dict[str, Any]
) -> None:
    deployed = {**variables, "secrets_environment": "deployed"}
    run = runner("secrets", deployed)
    assert run.failed
    assert "The environment deployed exists" in run.prose
    assert "choose another password in secrets_admin_password" in run.prose
    assert not (tmp_path / "secrets").exists()
    assert not runner("secrets", {**deployed, "secrets_admin_password": "another"}).failed


def test_what_is_stored_is_what_destroy_deletes() -> None:
    role = CHECKOUT / "roles/secrets"
    store = yaml.safe_load((role / "tasks/store.yml").read_text())[0]
    names = yaml.safe_load((role / "vars/main.yml").read_text())["__secrets_names"]
    assert names == list(store["openpacs.dicoogle.secretsmanager_secrets"]["secrets"])


@pytest.mark.parametrize("password", [12345678, "secret\n", " secret", "x" * 72])
def test_a_password_that_nobody_could_type_is_refused(
    runner: Runner, variables: dict[str, Any], password: Any
) -> None:
    run = runner("secrets", {**variables, "secrets_admin_password": password})
    assert run.failed
    assert "Choose one of at most 71" in run.prose
    assert "Error while" not in run.output
