# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What an account holds and was asked, as tests compare it."""

from __future__ import annotations

import json
import shutil
import subprocess
import typing as t
from pathlib import Path

from support import CHECKOUT
from support.playbook_runs import Account


def tree_of(account: Account, environment: str) -> dict[str, t.Any]:
    """Return the live stacks of `environment` by the logical id that their names hold."""
    stacks = account.client("cloudformation").get_paginator("describe_stacks").paginate()
    found = [stack for page in stacks for stack in page["Stacks"]]
    (root,) = [stack for stack in found if stack["StackName"] == environment]
    children = [stack for stack in found if stack.get("RootId") == root["StackId"]]
    return {
        environment: root,
        **{
            each["StackName"].removeprefix(f"{environment}-").split("-")[0]: each
            for each in children
        },
    }


def physical_ids(account: Account, environment: str) -> dict[str, str]:
    """Return the physical id of every resource of `environment`, by stack and logical id.

    What a custom resource looks up is not the environment's own, and left out.
    """
    client = account.client("cloudformation")
    return {
        f"{name}/{resource['LogicalResourceId']}": resource["PhysicalResourceId"]
        for name, stack in tree_of(account, environment).items()
        for page in client.get_paginator("list_stack_resources").paginate(
            StackName=stack["StackId"]
        )
        for resource in page["StackResourceSummaries"]
        if not resource["ResourceType"].startswith("Custom::")
    }


def calls(account: Account) -> list[dict[str, t.Any]]:
    """Return the calls that the embedded AWS has logged so far."""
    lines = (account.folder / "data" / "access.log").read_text().splitlines()
    return [json.loads(line) for line in lines]


def secrets(account: Account, environment: str) -> dict[str, str]:
    """Return the version of every secret of `environment`, by name."""
    client = account.client("secretsmanager")
    filters = [{"Key": "name", "Values": [f"{environment}/"]}]
    return {
        each["Name"]: json.dumps(each["SecretVersionsToStages"], sort_keys=True)
        for each in client.list_secrets(Filters=filters)["SecretList"]
    }


def updated(stack: dict[str, t.Any]) -> t.Any:
    """Return when `stack` was last changed."""
    return stack.get("LastUpdatedTime", stack["CreationTime"])


def copy_of_the_checkout(folder: Path) -> Path:
    """Return a copy, below `folder`, of every file that git knows of the checkout."""
    checkout = folder / "ansible_collections" / "openpacs" / "dicoogle"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, checkout / name)
    return checkout
