# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Members of DescribeStacks, ListStacks and DescribeChangeSet that MiniStack leaves out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from defusedxml.ElementTree import fromstring
from ministack.services import cloudformation
from ministack.services.cloudformation import handlers, helpers

from openpacs_embedded.patching import replace_entry

Response = tuple[int, dict[str, str], bytes]
Record = dict[str, Any]
XML = f"{{{helpers.CFN_NS}}}"


def describe_stacks(original: Callable[[Record], Response], params: Record) -> Response:
    """Add what connects stacks, and what SSM parameters have been resolved to."""

    def complete(root: Element) -> None:
        for element, stack in _stacks(root):
            add_texts(element, ParentId=stack.get("ParentId"), RootId=stack.get("RootId"))
            show_resolved_values(element, stack["_resolved_params"])

    return completed(original(params), complete)


def list_stacks(original: Callable[[Record], Response], params: Record) -> Response:
    """Add what connects stacks."""

    def complete(root: Element) -> None:
        for element, stack in _stacks(root):
            add_texts(element, ParentId=stack.get("ParentId"), RootId=stack.get("RootId"))

    return completed(original(params), complete)


def completed(response: Response, complete: Callable[[Element], None]) -> Response:
    """Return a successful response with its XML changed by complete; an error as it is."""
    status, headers, body = response
    if status != 200:
        return response
    register_namespace("", helpers.CFN_NS)
    root = fromstring(body)
    complete(root)
    return status, headers, tostring(root, encoding="utf-8", xml_declaration=True)


def add_texts(element: Element, **texts: str | None) -> None:
    """Append a child element for each text that is not None or empty."""
    for name, text in texts.items():
        if text:
            SubElement(element, f"{XML}{name}").text = text


def show_resolved_values(element: Element, resolved: dict[str, Record]) -> None:
    """Report SSM parameters by their names, and beside them what they were resolved to."""
    for parameter in element.iterfind(f"{XML}Parameters/{XML}member"):
        value = resolved.get(parameter.findtext(f"{XML}ParameterKey", ""), {})
        shown = parameter.find(f"{XML}ParameterValue")
        if "SsmName" in value and not value["NoEcho"] and shown is not None:
            shown.text = value["SsmName"]
            add_texts(parameter, ResolvedValue=value["Value"])


def _stacks(root: Element) -> list[tuple[Element, Record]]:
    by_id = {stack["StackId"]: stack for stack in cloudformation._stacks.values()}
    members = [
        member for member in root.iter(f"{XML}member") if member.find(f"{XML}StackId") is not None
    ]
    return [(member, by_id[member.findtext(f"{XML}StackId", "")]) for member in members]


def install() -> None:
    """Complete the responses."""
    replace_entry(handlers._ACTION_HANDLERS, "DescribeStacks", describe_stacks)
    replace_entry(handlers._ACTION_HANDLERS, "ListStacks", list_stacks)
