# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Clients of an embedded AWS, and what tests do with stacks again and again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from support import CHECKOUT
from support.embedded_key import Key

SOURCE = CHECKOUT / "embedded"
VENV = CHECKOUT / ".cache" / "embedded-venv"  # made once, then shared by all sessions
TEMPLATES = "templates"  # bucket
TIMEOUT = 90.0  # seconds for one stack operation
Template = dict[str, Any]


class EmbeddedAws:
    """Clients of an embedded AWS, and what tests do with stacks again and again."""

    def __init__(self, folder: Path) -> None:
        """Look at a server that runs already, by the folder of its state."""
        self.endpoint_url = (folder / "endpoint").read_text().strip()
        self.access_log = folder / "data" / "access.log"
        self.key = Key.of(folder)
        self._session = self.key.session
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """Return a boto3 client."""
        if service not in self._clients:
            self._clients[service] = self._session.client(
                service,
                endpoint_url=self.endpoint_url,
                config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    def upload(self, template: Template | str) -> str:
        """Put a template into S3 under a new key and return its URL."""
        self.client("s3").create_bucket(Bucket=TEMPLATES)
        url = f"https://s3.us-east-1.amazonaws.com/{TEMPLATES}/{uuid4().hex}.json"
        self.put(url, template)
        return url

    def put(self, url: str, template: Template | str) -> None:
        """Put a template to a URL that upload has returned."""
        body = template if isinstance(template, str) else json.dumps(template)
        key = url.rpartition("/")[2]
        self.client("s3").put_object(Bucket=TEMPLATES, Key=key, Body=body.encode())

    def deploy(
        self, template: Template, parameters: dict[str, str] | None = None, **options: Any
    ) -> str:
        """Create a stack, wait until that has ended, one way or the other; return its name."""
        name = f"test-{uuid4().hex[:8]}"
        self.client("cloudformation").create_stack(
            StackName=name, **self.request(template, parameters), **options
        )
        self.wait(name)
        return name

    def update(
        self,
        name: str,
        template: Template,
        parameters: dict[str, str] | None = None,
        **options: Any,
    ) -> str:
        """Update a stack, wait until that has ended and return the status."""
        self.client("cloudformation").update_stack(
            StackName=name, **self.request(template, parameters), **options
        )
        return self.wait(name)

    def delete(self, name: str) -> str:
        """Delete a stack, wait until that has ended and return the status."""
        stack_id = self.stack(name)["StackId"]
        self.client("cloudformation").delete_stack(StackName=name)
        return self.wait(stack_id)

    def request(self, template: Template, parameters: dict[str, str] | None) -> dict[str, Any]:
        """Return the arguments that creating, updating and previewing have in common."""
        given = parameters or {}
        return {
            "TemplateBody": json.dumps(template),
            "Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in given.items()],
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }

    def wait(self, name: str) -> str:
        """Wait until no operation runs on the stack and return its status."""
        deadline = time.monotonic() + TIMEOUT
        while (status := self.status(name)).endswith("_IN_PROGRESS"):
            assert time.monotonic() < deadline, f"{name} is {status} after {TIMEOUT} s"
            time.sleep(0.02)
        return status

    def stack(self, name: str) -> dict[str, Any]:
        """Return what DescribeStacks says about one stack."""
        stacks: list[dict[str, Any]] = self.client("cloudformation").describe_stacks(
            StackName=name
        )["Stacks"]
        return stacks[0]

    def status(self, name: str) -> str:
        """Return the status of a stack."""
        return str(self.stack(name)["StackStatus"])

    def outputs(self, name: str) -> dict[str, str]:
        """Return the outputs of a stack."""
        return {o["OutputKey"]: o["OutputValue"] for o in self.stack(name).get("Outputs", [])}

    def resources(self, name: str) -> dict[str, str]:
        """Return the physical id of each resource of a stack by its logical id."""
        listed = self.client("cloudformation").describe_stack_resources(StackName=name)
        return {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in listed["StackResources"]}

    def events(self, name: str) -> list[dict[str, Any]]:
        """Return the events of a stack, oldest first."""
        pages = self.client("cloudformation").get_paginator("describe_stack_events")
        found = [e for page in pages.paginate(StackName=name) for e in page["StackEvents"]]
        return found[::-1]

    def refusal(self, call: Callable[..., Any], **arguments: Any) -> str:
        """Return the error message of a call that must be refused."""
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        return str(caught.value.response["Error"]["Message"])
