# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The function lookup as CloudFormation sees it: a request goes in, an answer comes to its URL."""

from __future__ import annotations

import importlib.util
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from support import CHECKOUT

SOURCE = CHECKOUT / "lambda" / "lookup" / "handler.py"
S3_LIST = "com.amazonaws.eu-central-1.s3"
IMAGE = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"


@pytest.fixture(scope="module")
def lookup() -> ModuleType:
    specification = importlib.util.spec_from_file_location("lookup_handler", SOURCE)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Inbox(HTTPServer):
    """Stands for the pre-signed URL: keeps what is put to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receiver)
        self.answers: list[dict[str, Any]] = []
        self.content_types: list[str | None] = []
        self.url = f"http://127.0.0.1:{self.server_port}/answer?X-Amz-Signature=abc"


class Receiver(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        assert isinstance(self.server, Inbox)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers.append(json.loads(body))
        self.server.content_types.append(self.headers["Content-Type"])
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep the output of the tests clean."""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    server = Inbox()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Stubber]]:
    """Stubbed clients of EC2 and SSM, which must be called exactly as a test says."""
    session = boto3.Session("key", "secret", region_name="eu-central-1")
    clients = {name: session.client(name) for name in ("ec2", "ssm")}
    stubs = {name: Stubber(client) for name, client in clients.items()}
    monkeypatch.setattr(boto3, "client", clients.__getitem__)
    for stub in stubs.values():
        stub.activate()
    yield stubs
    for stub in stubs.values():
        stub.assert_no_pending_responses()


def request(inbox: Inbox, request_type: str, resource_type: str, **more: Any) -> dict[str, Any]:
    return {
        "RequestType": request_type,
        "ResourceType": resource_type,
        "ResponseURL": inbox.url,
        "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/lookup/1",
        "RequestId": "request-1",
        "LogicalResourceId": "Thing",
        "ResourceProperties": {"PrefixListName": S3_LIST, "ParameterName": IMAGE},
        **more,
    }


def expect_prefix_lists(stub: Stubber, *identifiers: str) -> None:
    stub.add_response(
        "describe_managed_prefix_lists",
        {"PrefixLists": [{"PrefixListId": identifier} for identifier in identifiers]},
        {"Filters": [{"Name": "prefix-list-name", "Values": [S3_LIST]}]},
    )


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_prefix_list_is_found_by_its_name(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber], request_type: str
) -> None:
    expect_prefix_lists(services["ec2"], "pl-6ea54007")
    lookup.handle(request(inbox, request_type, "Custom::PrefixList"), None)
    assert inbox.answers == [
        {
            "Status": "SUCCESS",
            "PhysicalResourceId": "pl-6ea54007",
            "Data": {"Id": "pl-6ea54007"},
            "StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/lookup/1",
            "RequestId": "request-1",
            "LogicalResourceId": "Thing",
        }
    ]


def test_machine_image_is_read_from_its_parameter(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber]
) -> None:
    services["ssm"].add_response(
        "get_parameter", {"Parameter": {"Value": "ami-0abc"}}, {"Name": IMAGE}
    )
    lookup.handle(request(inbox, "Create", "Custom::MachineImage"), None)
    assert inbox.answers[0]["Data"] == {"Id": "ami-0abc"}


def test_unknown_prefix_list_fails_with_its_name(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber]
) -> None:
    expect_prefix_lists(services["ec2"])
    lookup.handle(request(inbox, "Create", "Custom::PrefixList"), None)
    assert inbox.answers[0]["Status"] == "FAILED"
    assert S3_LIST in inbox.answers[0]["Reason"]
    assert inbox.answers[0]["PhysicalResourceId"]  # CloudFormation refuses an answer without one


@pytest.fixture
def pauses(lookup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the function has paused, in seconds, without doing so."""
    paused: list[float] = []
    monkeypatch.setattr(lookup.time, "sleep", paused.append)
    return paused


def test_a_role_that_iam_has_just_made_is_given_time(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber], pauses: list[float]
) -> None:
    services["ec2"].add_client_error("describe_managed_prefix_lists", "UnauthorizedOperation", "")
    expect_prefix_lists(services["ec2"], "pl-6ea54007")
    lookup.handle(request(inbox, "Create", "Custom::PrefixList"), None)
    assert inbox.answers[0]["Data"] == {"Id": "pl-6ea54007"}


def test_refused_call_is_reported_with_the_reason_of_the_service(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber], pauses: list[float]
) -> None:
    for _attempt in range(10):
        services["ssm"].add_client_error("get_parameter", "AccessDeniedException", "no such right")
    lookup.handle(
        request(inbox, "Update", "Custom::MachineImage", PhysicalResourceId="ami-1"), None
    )
    assert inbox.answers[0]["Status"] == "FAILED"
    assert "no such right" in inbox.answers[0]["Reason"]
    assert 25 < sum(pauses) < 45  # the function ends after 60 seconds
    assert inbox.answers[0]["PhysicalResourceId"] == "ami-1"


@pytest.mark.parametrize(
    ("request_type", "resource_type", "reason"),
    [
        ("Rename", "Custom::PrefixList", "Rename"),
        ("Create", "Custom::Other", "Custom::Other"),
    ],
)
def test_what_it_does_not_know_is_answered_too(
    lookup: ModuleType, inbox: Inbox, request_type: str, resource_type: str, reason: str
) -> None:
    lookup.handle(request(inbox, request_type, resource_type), None)
    assert inbox.answers[0]["Status"] == "FAILED"
    assert reason in inbox.answers[0]["Reason"]


def test_request_without_properties_is_answered(lookup: ModuleType, inbox: Inbox) -> None:
    incomplete = request(inbox, "Create", "Custom::PrefixList")
    del incomplete["ResourceProperties"]
    lookup.handle(incomplete, None)
    assert inbox.answers[0]["Status"] == "FAILED"


@pytest.mark.parametrize("resource_type", ["Custom::PrefixList", "Custom::Other"])
def test_delete_succeeds_without_a_call(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber], resource_type: str
) -> None:
    lookup.handle(request(inbox, "Delete", resource_type, PhysicalResourceId="pl-1"), None)
    assert inbox.answers[0]["Status"] == "SUCCESS"
    assert inbox.answers[0]["PhysicalResourceId"] == "pl-1"


def test_long_reason_fits_into_an_answer(
    lookup: ModuleType, inbox: Inbox, services: dict[str, Stubber]
) -> None:
    services["ec2"].add_client_error("describe_managed_prefix_lists", "Broken", "x" * 5000)
    lookup.handle(request(inbox, "Create", "Custom::PrefixList"), None)
    assert len(json.dumps(inbox.answers[0])) < 4096


def test_answer_has_the_content_type_that_the_url_was_signed_for(
    lookup: ModuleType, inbox: Inbox
) -> None:
    lookup.handle(request(inbox, "Delete", "Custom::PrefixList"), None)
    assert inbox.content_types == [""]
