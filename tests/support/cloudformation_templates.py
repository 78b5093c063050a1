# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Our CloudFormation templates as data, for tests that state what must hold in all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cfnlint.decode.cfn_yaml import load

from support import CHECKOUT

FOLDER = CHECKOUT / "cloudformation"
TEMPLATES: dict[str, dict[str, Any]] = {
    path.stem: load(str(path)) for path in sorted(FOLDER.glob("*.template"))
}
ROOT = TEMPLATES["root"]
NESTED = {
    name: resource
    for name, resource in ROOT["Resources"].items()
    if resource["Type"] == "AWS::CloudFormation::Stack"
}


def resources(resource_type: str) -> dict[str, dict[str, Any]]:
    """All resources of one type in all templates, by `<template>.<logical id>`."""
    return {
        f"{template}.{name}": resource
        for template, content in TEMPLATES.items()
        for name, resource in content["Resources"].items()
        if resource["Type"] == resource_type
    }


def properties(resource_type: str) -> dict[str, dict[str, Any]]:
    """The same, their properties only."""
    return {
        where: resource.get("Properties", {})
        for where, resource in resources(resource_type).items()
    }


def leaves(node: Any) -> Iterator[Any]:
    """Every scalar in a tree of lists and dictionaries, keys included."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield key
            yield from leaves(value)
    elif isinstance(node, list):
        for item in node:
            yield from leaves(item)
    else:
        yield node


def documents(node: Any) -> Iterator[dict[str, Any]]:
    """Every IAM policy document in a tree."""
    if isinstance(node, dict):
        if "Statement" in node:
            yield node
        for value in node.values():
            yield from documents(value)
    elif isinstance(node, list):
        for item in node:
            yield from documents(item)


def containers() -> dict[str, dict[str, Any]]:
    """The containers of the task by name."""
    (definition,) = properties("AWS::ECS::TaskDefinition").values()
    return {container["Name"]: container for container in definition["ContainerDefinitions"]}


def command(container: str) -> list[str]:
    """The arguments of a container, parameters as `${Name}`, joined lists as their separator."""
    separator, expression = containers()[container]["Command"]["Fn::Split"]
    text = expression["Fn::Sub"]
    return str(text if isinstance(text, str) else text[0]).split(separator)


def ingress() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule that lets traffic in, with the place where it is written."""
    for where, group in properties("AWS::EC2::SecurityGroup").items():
        for rule in group.get("SecurityGroupIngress", []):
            yield where, rule
    yield from properties("AWS::EC2::SecurityGroupIngress").items()


def attributes(load_balancer_or_target_group: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a load balancer or target group by key."""
    given = load_balancer_or_target_group
    listed = given.get("LoadBalancerAttributes") or given["TargetGroupAttributes"]
    return {attribute["Key"]: attribute["Value"] for attribute in listed}
