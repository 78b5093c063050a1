# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What identifies an environment lives in its account: no laptop and no folder is needed for it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from observed import calls, secrets
from support.certificates import issue
from support.playbook_runs import Account, Run, ansible_command, run_to_its_end
from support.role_runs import PLAYBOOK

KNOWN = {"dicoogle_environment": "known", "dicoogle_topology": "provider_only"}


@pytest.fixture(scope="module")
def laptop(account: Account) -> Iterator[Path]:
    """The folder of the control node that has deployed the environment `known`."""
    account.succeed("site", **KNOWN)
    yield account.folder / "known"
    account.succeed("destroy", dicoogle_environment="known")


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("pki", "secrets")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


def writes(account: Account, since: int) -> list[str]:
    reads = ("Get", "List", "Describe", "Head")
    actions = [call["action"] for call in calls(account)[since:] if not call["internal"]]
    return [action for action in actions if not action.startswith(reads)]


def test_a_lost_folder_is_fetched_and_nothing_changes(account: Account, laptop: Path) -> None:
    before, start = content(laptop), len(calls(account))
    shutil.rmtree(laptop)
    assert account.succeed("site", **KNOWN).changed == 0
    assert writes(account, start) == ["PutObject", "DeleteObject"]  # the lock
    assert content(laptop) == before


def test_a_damaged_folder_is_fetched_anew(account: Account, laptop: Path) -> None:
    before = content(laptop)
    (laptop / "pki/ca/1/certificate.pem").write_text("damaged")
    (laptop / "pki/ca/1/private_key.pem").unlink()
    shutil.rmtree(laptop / "pki/leaves")
    assert account.succeed("site", **KNOWN).changed == 0
    assert content(laptop) == before


def test_a_second_control_node_has_the_same(account: Account, laptop: Path, tmp_path: Path) -> None:
    second = {**KNOWN, "dicoogle_local_dir": str(tmp_path / "second")}
    assert account.succeed("plan", **second).changed == 0
    assert account.succeed("site", "--tags", "secrets", **second).changed == 0
    assert content(tmp_path / "second") == content(laptop)


def test_a_node_without_certificates_searches_the_log(
    account: Account, laptop: Path, tmp_path: Path
) -> None:
    elsewhere = {**KNOWN, "dicoogle_local_dir": str(tmp_path / "auditor")}
    account.succeed("audit", **elsewhere, dicoogle_audit_client="client")
    assert content(tmp_path / "auditor") == content(laptop)


def test_a_folder_with_another_ca_is_refused(
    account: Account, laptop: Path, tmp_path: Path
) -> None:
    (tmp_path / "pki/ca/1").mkdir(parents=True)
    issue(tmp_path, "Other CA", authority=True).path.rename(tmp_path / "pki/ca/1/certificate.pem")
    start = len(calls(account))
    run = account.run("site", **KNOWN, dicoogle_local_dir=str(tmp_path))
    assert run.failed
    assert "has the fingerprint" in run.output
    assert "and the one that the secret known/identity keeps" in run.output
    assert writes(account, start) == []


def test_a_folder_that_the_user_keeps_and_has_lost_is_not_replaced(
    account: Account, laptop: Path, tmp_path: Path
) -> None:
    start = len(calls(account))
    lost = {"pki_home": "local", "dicoogle_local_dir": str(tmp_path / "empty")}
    run = account.run("site", **KNOWN, **lost)
    assert run.failed
    assert "The environment known exists" in run.output
    assert writes(account, start) == []
    assert not (tmp_path / "empty").exists()


def test_those_alone_who_deploy_may_read_it(account: Account, laptop: Path) -> None:
    policy = account.client("secretsmanager").get_resource_policy(SecretId="known/identity")
    (statement,) = json.loads(policy["ResourcePolicy"])["Statement"]
    caller = account.client("sts").get_caller_identity()["Arn"]
    allowed = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
    assert statement["Effect"] == "Deny"
    assert caller in allowed


def test_two_first_runs_have_one_ca(account: Account, tmp_path: Path) -> None:
    (play,) = yaml.safe_load(PLAYBOOK.format(role="pki"))
    play["module_defaults"] = {"group/openpacs.dicoogle.dicoogle": "{{ dicoogle_aws }}"}
    (tmp_path / "pki.yml").write_text(yaml.safe_dump([play]))

    def first_run(node: str) -> Run:
        variables = {
            "dicoogle_embedded_dir": str(account.folder),
            "dicoogle_environment": "twins",
            "dicoogle_local_dir": str(tmp_path / node),
        }
        command = ansible_command(str(tmp_path / "pki.yml"), **variables)
        return run_to_its_end(command, account.checkout, account.environment)

    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(first_run, ["castor", "pollux"]))
    assert [run.output for run in runs if run.failed] == []
    assert content(tmp_path / "castor") == content(tmp_path / "pollux")


def test_destroy_keeps_it_until_it_is_told_not_to(account: Account, laptop: Path) -> None:
    gone = account.succeed("destroy", dicoogle_environment="known")
    assert "the secret known/identity" in gone.output
    assert list(secrets(account, "known")) == ["known/identity"]
    removed = account.succeed("destroy", dicoogle_environment="known", pki_remove=True)
    assert "restore-secret --secret-id known/identity" in removed.output
    assert secrets(account, "known") == {}
    assert content(laptop) == {}
