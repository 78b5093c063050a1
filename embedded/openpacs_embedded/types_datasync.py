# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS::DataSync::LocationS3, LocationEFS and Task, through the calls of services_datasync."""

from __future__ import annotations

from collections.abc import Callable

from openpacs_embedded import services_datasync as datasync
from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, register


def _location_type(
    create_location: Callable[[Properties], Properties], create_only: tuple[str, ...]
) -> ResourceType:
    def attributes(arn: str) -> Attributes:
        return {"LocationArn": arn, "LocationUri": datasync.locations[arn]["LocationUri"]}

    def create(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
        arn = create_location(dict(props))["LocationArn"]
        return arn, attributes(arn)

    def update(physical_id: str, _old: Properties, new: Properties) -> Attributes:
        other = create_location(dict(new))["LocationArn"]
        location = datasync.locations.pop(other)
        datasync.locations[physical_id] = {**location, "LocationArn": physical_id}
        datasync.set_tags(other, None)
        datasync.set_tags(physical_id, new.get("Tags"))
        return attributes(physical_id)

    def delete(physical_id: str, _props: Properties) -> None:
        if physical_id in datasync.locations:
            datasync.delete_location({"LocationArn": physical_id})

    return ResourceType(create, update, delete, create_only)


def _task_attributes(arn: str) -> Attributes:
    return {"TaskArn": arn, "Status": datasync.tasks[arn]["Status"]}


def _create_task(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    arn = datasync.create_task(dict(props))["TaskArn"]
    return arn, _task_attributes(arn)


def _update_task(physical_id: str, _old: Properties, new: Properties) -> Attributes:
    datasync.update_task({**new, "TaskArn": physical_id})
    datasync.set_tags(physical_id, new.get("Tags"))
    return _task_attributes(physical_id)


def _delete_task(physical_id: str, _props: Properties) -> None:
    if physical_id in datasync.tasks:
        datasync.delete_task({"TaskArn": physical_id})


TYPES = {
    "AWS::DataSync::LocationS3": _location_type(datasync.create_location_s3, ("S3BucketArn",)),
    "AWS::DataSync::LocationEFS": _location_type(
        datasync.create_location_efs, ("Ec2Config", "EfsFilesystemArn")
    ),
    "AWS::DataSync::Task": ResourceType(
        _create_task,
        _update_task,
        _delete_task,
        ("DestinationLocationArn", "SourceLocationArn", "TaskMode"),
    ),
}


def install() -> None:
    for name, resource_type in TYPES.items():
        register(name, resource_type)
