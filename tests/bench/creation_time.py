# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Simulate how long CloudFormation takes to create a template with all its nested stacks.

The model: a resource starts when everything it references (Ref, GetAtt, Sub, DependsOn) is
complete; parallelism is unlimited; a nested stack takes 10 s plus its own longest chain, and its
outputs exist when all of it is complete. Conditions are not looked at: everything is created.
Durations are typical figures per resource type, good for comparing templates, not for promising
times.

    python tests/bench/creation_time.py cloudformation/root.template
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from cfnlint.decode.cfn_yaml import load

NESTED_STACK = 10  # seconds
CUSTOM_RESOURCE = 15
GATEWAY_ENDPOINT = 10
OTHER_TYPE = 4
DURATIONS = {
    "AWS::ECS::Service": 240,
    "AWS::ElasticLoadBalancingV2::LoadBalancer": 150,
    "AWS::CertificateManager::Certificate": 150,
    "AWS::IAM::InstanceProfile": 130,
    "AWS::EC2::NatGateway": 120,
    "AWS::EC2::VPCEndpoint": 120,
    "AWS::EFS::MountTarget": 90,
    "AWS::EC2::VPCEndpointService": 70,
    "AWS::EC2::Instance": 45,
    "AWS::Route53::RecordSet": 45,
    "AWS::Route53::HostedZone": 45,
    "AWS::S3::Bucket": 25,
    "AWS::IAM::Role": 20,
    "AWS::EC2::InternetGateway": 17,
    "AWS::EC2::EIP": 17,
    "AWS::EFS::FileSystem": 15,
    "AWS::EFS::AccessPoint": 15,
    "AWS::KMS::Key": 15,
    "AWS::EC2::VPCPeeringConnection": 15,
    "AWS::Lambda::Function": 15,
    "AWS::EC2::VPC": 12,
    "AWS::EC2::RouteTable": 12,
    "AWS::ECS::Cluster": 10,
    "AWS::EC2::Subnet": 10,
    "AWS::DataSync::LocationS3": 10,
    "AWS::DataSync::LocationEFS": 10,
    "AWS::Logs::LogGroup": 10,
    "AWS::Backup::BackupVault": 10,
    "AWS::SNS::Topic": 10,
    "AWS::ElasticLoadBalancingV2::TargetGroup": 5,
    "AWS::ElasticLoadBalancingV2::Listener": 5,
}


@dataclass(frozen=True)
class Step:
    """One resource on the time axis of its stack, in seconds; nested steps begin at its start."""

    name: str
    start: int
    finish: int
    after: str | None  # the resource it waited for longest
    nested: Stack | None = None


@dataclass
class Stack:
    """One template and, in seconds, when each of its resources is created."""

    path: Path

    @cached_property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources of the template, all functions in their long form."""
        loaded: dict[str, dict[str, Any]] = load(str(self.path))["Resources"]
        return loaded

    @cached_property
    def steps(self) -> dict[str, Step]:
        """Every resource with its start and finish."""
        steps: dict[str, Step] = {}

        def place(name: str) -> int:
            if name not in steps:
                waits = {other: place(other) for other in self.references(name)}
                after = max(waits, key=lambda other: waits[other], default=None)
                start = waits[after] if after else 0
                nested = self.child(name)
                length = NESTED_STACK + nested.duration if nested else self.length(name)
                steps[name] = Step(name, start, start + length, after, nested)
            return steps[name].finish

        for name in self.resources:
            place(name)
        return steps

    @property
    def duration(self) -> int:
        """Seconds until the last resource is complete."""
        return max(step.finish for step in self.steps.values())

    def critical_path(self) -> list[Step]:
        """The chain of resources that decides the duration, the first one first."""
        step: Step | None = max(self.steps.values(), key=lambda step: step.finish)
        chain = []
        while step:
            chain.append(step)
            step = self.steps[step.after] if step.after else None
        return chain[::-1]

    def child(self, name: str) -> Stack | None:
        """The nested stack that a resource is, if it is one."""
        resource = self.resources[name]
        if resource["Type"] != "AWS::CloudFormation::Stack":
            return None
        return Stack(self.path.parent / resource["Properties"]["TemplateURL"])

    def length(self, name: str) -> int:
        """Seconds that a resource takes by itself."""
        resource = self.resources[name]
        if resource["Type"].startswith("Custom::"):
            return CUSTOM_RESOURCE
        if resource.get("Properties", {}).get("VpcEndpointType") == "Gateway":
            return GATEWAY_ENDPOINT
        return DURATIONS.get(resource["Type"], OTHER_TYPE)

    def references(self, name: str) -> set[str]:
        """The resources that have to be complete before this one starts."""
        resource = self.resources[name]
        depends = resource.get("DependsOn", [])
        found = set([depends] if isinstance(depends, str) else depends)
        return (found | set(names_in(resource.get("Properties", {})))) & self.resources.keys()


def names_in(node: Any) -> Iterator[str]:
    """Every name that an expression refers to, of resources and of parameters."""
    if isinstance(node, list):
        for item in node:
            yield from names_in(item)
    elif isinstance(node, dict):
        for key, item in node.items():
            if key == "Ref":
                yield item
            elif key == "Fn::GetAtt":
                yield item[0] if isinstance(item, list) else item.split(".")[0]
            elif key == "Fn::Sub":
                text, values = (item, {}) if isinstance(item, str) else item
                yield from (name.split(".")[0] for name in re.findall(r"\$\{([^!}]+)}", text))
                yield from names_in(values)
            else:
                yield from names_in(item)


def report(stack: Stack, offset: int = 0, depth: int = 0) -> Iterator[str]:
    """Lines that show the critical path, nested stacks indented below their own line."""
    for step in stack.critical_path():
        start, finish = offset + step.start, offset + step.finish
        yield f"{start:4} s to {finish:4} s  {'  ' * depth}{step.name}"
        if step.nested:
            yield from report(step.nested, start + NESTED_STACK, depth + 1)


if __name__ == "__main__":
    root = Stack(Path(sys.argv[1]))
    print(*report(root), f"{root.duration} s in all", sep="\n")
