# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from ansible_collections.openpacs.dicoogle.plugins.module_utils._identity import loss
from ansible_collections.openpacs.dicoogle.plugins.module_utils._secrets import api
from ansible_collections.openpacs.dicoogle.plugins.modules import environment_identity
from botocore.exceptions import ClientError
from moto import mock_aws
from support.certificates import issue

AWS = {"region": "eu-west-1", "access_key": "testing", "secret_key": "testing"}
DEPLOYER = "arn:aws:iam::123456789012:role/deploy"
CALLER = "arn:aws:sts::123456789012:user/moto"

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def aws() -> Iterator[Callable[[str], Any]]:
    with mock_aws():
        yield lambda service: boto3.client(
            service, "eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )


@pytest.fixture
def secrets(aws: Callable[[str], Any]) -> Any:
    return aws("secretsmanager")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The operations called by the module."""
    names: list[str] = []
    make_call = botocore.client.BaseClient._make_api_call

    def note(self: Any, operation: str, params: dict[str, Any]) -> Any:
        names.append(operation)
        return make_call(self, operation, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", note)
    return names


def control_node(folder: Path) -> Path:
    """A folder of a control node with a CA of its own, and a password."""
    (folder / "pki" / "ca" / "1").mkdir(parents=True)
    authority = issue(folder, "CA", authority=True)
    authority.path.rename(folder / "pki" / "ca" / "1" / "certificate.pem")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "admin-password").write_text("s3cret")
    return folder


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return control_node(tmp_path / "here")


@pytest.fixture
def run(secrets: Any, here: Path, run_module: Run) -> Run:
    def run(node: Path = here, **options: Any) -> dict[str, Any]:
        folders = {name: str(node / name) for name in ("pki", "secrets")}
        given = {"environment": "pacs", "folders": folders, **options}
        return run_module(environment_identity, **{**AWS, **given})

    return run


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("pki", "secrets")
        for path in (folder / part).rglob("*")
        if path.is_file()
    }


def new_certificate(folder: Path, name: str, text: str = "new") -> None:
    (folder / "pki" / "issued").mkdir(exist_ok=True)
    (folder / "pki" / "issued" / name).write_text(text)


def test_an_empty_account_is_asked_and_nothing_is_made(run: Run, secrets: Any, here: Path) -> None:
    before = content(here)
    result = run()
    assert (result["changed"], result["kept"], result["fetched"]) == (False, False, False)
    assert secrets.list_secrets()["SecretList"] == []
    assert content(here) == before


def test_what_is_kept_fills_an_emptied_folder_and_that_is_no_change(
    run: Run, here: Path, tmp_path: Path
) -> None:
    assert run(state="kept")["changed"] is True
    before = content(here)
    shutil.rmtree(here)
    result = run()
    assert (result["changed"], result["kept"], result["fetched"]) == (False, True, True)
    assert content(here) == before
    assert run(tmp_path / "another node")["fetched"] is True
    assert content(tmp_path / "another node") == before


def test_an_unchanged_run_costs_one_call_and_reads_no_value(run: Run, calls: list[str]) -> None:
    run(state="kept")
    calls.clear()
    assert run()["kept"] is True
    assert calls == ["DescribeSecret"]


def test_keeping_the_same_again_changes_nothing(run: Run) -> None:
    run(state="kept", tags={"site": "north"})
    assert run(state="kept", tags={"site": "north"})["changed"] is False


def test_no_value_is_shown(run: Run, here: Path) -> None:
    results = [run(state="kept"), run(), run(state="absent")]
    shutil.rmtree(here)
    assert "s3cret" not in json.dumps(results)
    assert "BEGIN" not in json.dumps(results)
    assert results[0]["diff"]["after"] == "pacs/identity: created\n"


def test_a_preview_keeps_nothing_but_fills_the_folder(run: Run, secrets: Any, here: Path) -> None:
    assert run(state="kept", check_mode=True)["changed"] is True
    assert secrets.list_secrets()["SecretList"] == []
    run(state="kept")
    shutil.rmtree(here)
    assert run(check_mode=True)["fetched"] is True
    assert (here / "secrets" / "admin-password").read_text() == "s3cret"


def test_a_folder_behind_the_account_is_brought_up_to_date(
    run: Run, here: Path, tmp_path: Path
) -> None:
    run(state="kept")
    colleague = Path(shutil.copytree(here, tmp_path / "colleague"))
    new_certificate(colleague, "client.2.pem")
    assert run(colleague, state="kept")["changed"] is True
    assert run()["fetched"] is True
    assert content(here) == content(colleague)


def test_another_ca_is_refused_with_both_fingerprints(run: Run, here: Path, tmp_path: Path) -> None:
    run(state="kept")
    other = control_node(tmp_path / "other")
    before = content(other)
    message = run(other)["msg"]
    fingerprints = [word for word in message.replace(",", " ").split() if len(word) > 60]
    assert len({word.strip(".") for word in fingerprints if "/" not in word}) == 2
    assert "pki_home to local" in message
    assert content(other) == before


class TestTwoFirstRuns:
    """Both have found nothing, and have made a CA each."""

    @pytest.fixture
    def other(self, tmp_path: Path) -> Path:
        return control_node(tmp_path / "other")

    def test_the_second_takes_over_what_the_first_has_kept(
        self, run: Run, here: Path, other: Path
    ) -> None:
        run(state="kept")
        assert run(other, state="kept")["fetched"] is True
        assert content(other) == content(here)

    def test_also_when_the_first_comes_between_question_and_creation(
        self, run: Run, secrets: Any, here: Path, other: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run(state="kept")
        monkeypatch.setattr(api, "find_secret", lambda client, name: None)
        assert run(other, state="kept")["fetched"] is True
        assert content(other) == content(here)
        assert len(secrets.list_secret_version_ids(SecretId="pacs/identity")["Versions"]) == 1

    def test_two_renewals_do_not_overwrite_each_other(
        self, run: Run, here: Path, tmp_path: Path
    ) -> None:
        run(state="kept")
        colleague = Path(shutil.copytree(here, tmp_path / "colleague"))
        new_certificate(here, "client.2.pem", "mine")
        new_certificate(colleague, "client.2.pem", "theirs")
        run(state="kept")
        assert run(colleague, state="kept")["fetched"] is True
        assert content(colleague) == content(here)


class TestLostCa:
    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        stack = {"StackStatus": "CREATE_COMPLETE"}
        monkeypatch.setattr(loss, "describe_stack", lambda client, name: stack)

    def test_is_not_replaced_while_the_environment_exists(self, run: Run, tmp_path: Path) -> None:
        message = run(tmp_path / "empty")["msg"]
        assert "exists (its stack is CREATE_COMPLETE)" in message
        assert "the account has no secret pacs/identity" in message
        assert "pki_signing_ca to 2" in message
        assert not (tmp_path / "empty").exists()

    def test_nor_where_the_user_keeps_the_folder(self, run: Run, tmp_path: Path) -> None:
        message = run(tmp_path / "empty", home="local")["msg"]
        assert f"{tmp_path}/empty/pki does not hold its CA." in message
        assert "secret" not in message

    def test_nor_where_the_secret_was_deleted(self, run: Run, here: Path) -> None:
        run(state="kept")
        run(state="absent")
        shutil.rmtree(here)
        assert "restore-secret --secret-id pacs/identity" in run()["msg"]

    def test_a_folder_that_has_it_is_enough(self, run: Run) -> None:
        assert run()["kept"] is False
        assert run(home="local")["kept"] is True

    def test_a_new_one_can_be_asked_for(self, run: Run, tmp_path: Path) -> None:
        assert run(tmp_path / "empty", authority=False)["fetched"] is False


class TestDeployers:
    def allowed(self, secrets: Any) -> list[str]:
        policy = secrets.get_resource_policy(SecretId="pacs/identity")["ResourcePolicy"]
        (statement,) = json.loads(policy)["Statement"]
        return statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]

    def test_the_first_deployer_alone_may_read(self, run: Run, secrets: Any) -> None:
        run(state="kept")
        assert self.allowed(secrets) == ["arn:aws:iam::123456789012:root", CALLER]

    def test_others_are_let_in_by_name(self, run: Run, secrets: Any) -> None:
        run(state="kept")
        both = [CALLER, DEPLOYER]
        assert run(deployers=both)["kept"] is False
        assert run(state="kept", deployers=both)["changed"] is True
        assert DEPLOYER in self.allowed(secrets)
        assert run(deployers=both)["kept"] is True
        assert run()["kept"] is True

    def test_nobody_locks_himself_out(self, run: Run, secrets: Any) -> None:
        run(state="kept")
        message = run(state="kept", deployers=[DEPLOYER])["msg"]
        assert f"you are {CALLER}" in message
        assert DEPLOYER not in self.allowed(secrets)

    def test_a_run_killed_before_the_policy_was_written_is_completed(
        self, run: Run, secrets: Any
    ) -> None:
        run(state="kept")
        secrets.delete_resource_policy(SecretId="pacs/identity")
        secrets.untag_resource(SecretId="pacs/identity", TagKeys=["openpacs:policy"])
        assert run()["kept"] is False
        run(state="kept")
        assert CALLER in self.allowed(secrets)


@pytest.mark.parametrize(
    ("operation", "code", "sentences"),
    [
        ("GetSecretValue", "AccessDeniedException", ["Failed to read", "pki_deployers"]),
        ("DescribeSecret", "InvalidSignatureException", ["Set the clock of this machine"]),
    ],
)
def test_a_refusal_of_aws_comes_with_the_way_out(
    run: Run,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    operation: str,
    code: str,
    sentences: list[str],
) -> None:
    run(state="kept")
    shutil.rmtree(here)
    make_call = botocore.client.BaseClient._make_api_call

    def refuse(self: Any, called: str, params: dict[str, Any]) -> Any:
        if called == operation:
            raise ClientError({"Error": {"Code": code}}, called)
        return make_call(self, called, params)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuse)
    message = run()["msg"]
    assert "the secret pacs/identity" in message
    assert [sentence for sentence in sentences if sentence not in message] == []


def test_a_value_of_somebody_else_is_refused(run: Run, secrets: Any, here: Path) -> None:
    run(state="kept")
    secrets.put_secret_value(SecretId="pacs/identity", SecretString="x")
    before = content(here)
    new_certificate(here, "client.2.pem")
    assert "AWSPREVIOUS" in run()["msg"]
    assert content(here).items() > before.items()


def test_too_much_for_a_secret_is_refused(
    run: Run, here: Path, secrets: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment_identity.keeping.content, "LARGEST_VALUE", 100)
    assert "Set pki_home to local" in run(state="kept")["msg"]
    assert secrets.list_secrets()["SecretList"] == []


def test_a_removed_secret_comes_back_with_what_is_here(run: Run, secrets: Any, here: Path) -> None:
    run(state="kept")
    assert run(state="absent", check_mode=True)["changed"] is True
    assert run()["kept"] is True
    assert run(state="absent")["changed"] is True
    assert run(state="absent")["changed"] is False
    assert run()["kept"] is False
    assert run(state="kept")["diff"]["after"] == "pacs/identity: restored\n"
    assert run()["kept"] is True


def test_another_key_is_taken(run: Run, secrets: Any, aws: Callable[[str], Any]) -> None:
    first, second = (aws("kms").create_key()["KeyMetadata"]["Arn"] for _unused in range(2))
    run(state="kept", kms_key_id=first)
    assert run()["kms_key_id"] == first
    assert run(state="kept", kms_key_id=second)["changed"] is True
    assert run()["kms_key_id"] == second
