# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each role works alone with its inputs given, and each tag of `site` brings what it needs."""

from __future__ import annotations

import typing as t
from collections.abc import Callable, Iterator

import pytest
import yaml
from support import CHECKOUT
from support.playbook_runs import Account, ansible_command, run_to_its_end
from support.role_runs import PLAYBOOK, Run

ENVIRONMENT = {"dicoogle_environment": "alone", "dicoogle_topology": "provider_only"}


def tags_of(tasks: list[dict[str, t.Any]]) -> set[str]:
    """Return the tags of tasks and of what their blocks hold."""
    inner = [each for task in tasks for each in task.get("block", []) + task.get("always", [])]
    own = {tag for task in tasks for tag in task.get("tags", [])}
    return own | (tags_of(inner) if inner else set())


(SITE,) = yaml.safe_load((CHECKOUT / "playbooks/site.yml").read_text())
TAGS = sorted(tags_of(SITE["tasks"]) - {"always"})

Alone = Callable[..., dict[str, t.Any]]


@pytest.fixture(scope="module")
def alone(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Alone:
    """Return a function that runs one role by itself and returns what it publishes."""
    folder = tmp_path_factory.mktemp("roles")

    def run(role: str, **inputs: t.Any) -> dict[str, t.Any]:
        (play,) = yaml.safe_load(PLAYBOOK.format(role=role))
        playbook = folder / f"{role}.yml"
        play["module_defaults"] = {"group/openpacs.dicoogle.dicoogle": "{{ dicoogle_aws }}"}
        playbook.write_text(yaml.safe_dump([play]))
        given = {"dicoogle_embedded_dir": str(account.folder), **ENVIRONMENT, **inputs}
        command = ansible_command(str(playbook), **given)
        done = run_to_its_end(command, account.checkout, account.environment)
        assert not done.failed, done.output
        return Run(done.failed, done.output, role).published

    return run


@pytest.fixture(scope="module")
def deployed(account: Account, alone: Alone) -> Iterator[dict[str, dict[str, t.Any]]]:
    """What each role published, that were run one after the other, in runs of their own."""
    prerequisites = alone("prerequisites")
    pki = alone(
        "pki",
        pki_kms_key_arn=prerequisites["kms_key_arn"],
        pki_tags=prerequisites["tags"],
    )
    images = alone("images", images_repositories=prerequisites["repositories"])
    artifacts = alone(
        "artifacts",
        artifacts_bucket=prerequisites["artifacts_bucket"],
        artifacts_kms_key_arn=prerequisites["kms_key_arn"],
    )
    secrets = alone(
        "secrets",
        secrets_ca_bundle=pki["ca_bundle"],
        secrets_leaves=pki["leaves"],
        secrets_kms_key_arn=prerequisites["kms_key_arn"],
        secrets_tags=prerequisites["tags"],
    )
    stack = alone(
        "stack",
        stack_hosted_zone_id=prerequisites["hosted_zone_id"],
        stack_availability_zones=prerequisites["availability_zones"],
        stack_kms_key_arn=prerequisites["kms_key_arn"],
        stack_tags=prerequisites["tags"],
        stack_storage_clients=pki["storage_clients"],
        stack_query_clients=pki["query_clients"],
        stack_administrators=pki["administrators"],
        stack_images=images,
        stack_artifacts=artifacts,
        stack_secrets=secrets,
    )
    yield {"stack": stack}
    account.succeed("destroy", dicoogle_environment="alone")


def test_roles_one_by_one_deploy_what_site_deploys(
    account: Account, deployed: dict[str, dict[str, t.Any]]
) -> None:
    assert deployed["stack"]["WebUrl"] == "https://alone-us-east-1.example.org/"
    assert account.succeed("site", **ENVIRONMENT).changed == 0


@pytest.mark.parametrize("tag", TAGS)
def test_each_tag_runs_its_role_and_what_that_needs(
    account: Account, deployed: dict[str, dict[str, t.Any]], tag: str
) -> None:
    run = account.succeed("site", "--tags", tag, **ENVIRONMENT)
    assert run.changed == 0
    assert f"openpacs.dicoogle.{tag} : apply" in run.output


def test_every_role_of_site_has_its_tag() -> None:
    roles = {path.name for path in (CHECKOUT / "roles").iterdir()}
    assert set(TAGS) == roles - {"environment", "audit", "verify"}


def test_the_audit_needs_the_log_group_alone(
    alone: Alone, deployed: dict[str, dict[str, t.Any]]
) -> None:
    log_group = deployed["stack"]["LogGroupName"]
    assert alone("audit", audit_log_group=log_group, audit_images=["1.2.3"]) == []
