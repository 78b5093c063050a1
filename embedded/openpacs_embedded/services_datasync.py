# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""DataSync: locations and tasks, as created by a stack or by a call."""

from __future__ import annotations

import secrets
import time
from typing import Any

from ministack.core.responses import AccountRegionScopedDict, get_account_id, get_region

from openpacs_embedded.services_registry import JsonService, ServiceError, register

locations = AccountRegionScopedDict()  # ARN -> {LocationArn, LocationUri, CreationTime, ...}
tasks = AccountRegionScopedDict()  # ARN -> what DescribeTask tells
tags = AccountRegionScopedDict()  # ARN -> [{Key, Value}]

UPDATABLE = ("Name", "Options", "Excludes", "Includes", "Schedule", "CloudWatchLogGroupArn")

Data = dict[str, Any]


def _arn(kind: str, prefix: str) -> str:
    name = f"{prefix}-{secrets.token_hex(9)[:17]}"
    return f"arn:aws:datasync:{get_region()}:{get_account_id()}:{kind}/{name}"


def _find(store: AccountRegionScopedDict, arn: str, kind: str) -> Data:
    if arn not in store:
        raise ServiceError("InvalidRequestException", f"{kind} {arn} is not found.")
    return store[arn]


def set_tags(arn: str, wanted: list[Data] | None) -> None:
    if wanted:
        tags[arn] = [{"Key": t["Key"], "Value": str(t.get("Value", ""))} for t in wanted]
    else:
        tags.pop(arn, None)


def _create_location(data: Data, uri: str) -> Data:
    arn = _arn("location", "loc")
    kept = {name: value for name, value in data.items() if name not in ("Tags", "Subdirectory")}
    locations[arn] = {**kept, "LocationArn": arn, "LocationUri": uri, "CreationTime": time.time()}
    set_tags(arn, data.get("Tags"))
    return {"LocationArn": arn}


def create_location_s3(data: Data) -> Data:
    bucket = data["S3BucketArn"].rpartition(":")[2]
    data.setdefault("S3StorageClass", "STANDARD")
    return _create_location(data, f"s3://{bucket}/{data.get('Subdirectory', '').strip('/')}")


def create_location_efs(data: Data) -> Data:
    file_system = data["EfsFilesystemArn"].rpartition("/")[2]
    path = data.get("Subdirectory", "/").strip("/")
    return _create_location(data, f"efs://{get_region()}.{file_system}/{path}")


def describe_location(data: Data) -> Data:
    return _find(locations, data["LocationArn"], "Location")


def list_locations(_data: Data) -> Data:
    entries = [
        {name: location[name] for name in ("LocationArn", "LocationUri")}
        for location in locations.values()
    ]
    return {"Locations": entries}


def delete_location(data: Data) -> Data:
    arn = data["LocationArn"]
    _find(locations, arn, "Location")
    if any(arn in (t["SourceLocationArn"], t["DestinationLocationArn"]) for t in tasks.values()):
        raise ServiceError("InvalidRequestException", f"Location {arn} is in use by a task.")
    del locations[arn]
    set_tags(arn, None)
    return {}


def create_task(data: Data) -> Data:
    for end in ("SourceLocationArn", "DestinationLocationArn"):
        _find(locations, data[end], "Location")
    arn = _arn("task", "task")
    tasks[arn] = {
        **{name: value for name, value in data.items() if name != "Tags"},
        "TaskArn": arn,
        "Status": "AVAILABLE",
        "TaskMode": data.get("TaskMode", "BASIC"),
        "CreationTime": time.time(),
    }
    set_tags(arn, data.get("Tags"))
    return {"TaskArn": arn}


def describe_task(data: Data) -> Data:
    return _find(tasks, data["TaskArn"], "Task")


def update_task(data: Data) -> Data:
    task = _find(tasks, data["TaskArn"], "Task")
    task.update({name: data[name] for name in UPDATABLE if name in data})
    return {}


def list_tasks(_data: Data) -> Data:
    entries = [
        {name: task[name] for name in ("TaskArn", "Status", "Name", "TaskMode") if name in task}
        for task in tasks.values()
    ]
    return {"Tasks": entries}


def delete_task(data: Data) -> Data:
    _find(tasks, data["TaskArn"], "Task")
    del tasks[data["TaskArn"]]
    set_tags(data["TaskArn"], None)
    return {}


def list_tags(data: Data) -> Data:
    return {"Tags": tags.get(data["ResourceArn"], [])}


def tag_resource(data: Data) -> Data:
    added = {t["Key"] for t in data["Tags"]}
    kept = [t for t in tags.get(data["ResourceArn"], []) if t["Key"] not in added]
    set_tags(data["ResourceArn"], kept + data["Tags"])
    return {}


def untag_resource(data: Data) -> Data:
    kept = [t for t in tags.get(data["ResourceArn"], []) if t["Key"] not in data["Keys"]]
    set_tags(data["ResourceArn"], kept)
    return {}


SERVICE = JsonService(
    name="datasync",
    target="FmrsService",
    actions={
        "CreateLocationEfs": create_location_efs,
        "CreateLocationS3": create_location_s3,
        "CreateTask": create_task,
        "DeleteLocation": delete_location,
        "DeleteTask": delete_task,
        "DescribeLocationEfs": describe_location,
        "DescribeLocationS3": describe_location,
        "DescribeTask": describe_task,
        "ListLocations": list_locations,
        "ListTagsForResource": list_tags,
        "ListTasks": list_tasks,
        "TagResource": tag_resource,
        "UntagResource": untag_resource,
        "UpdateTask": update_task,
    },
    stores={"locations": locations, "tasks": tasks, "tags": tags},
)


def install() -> None:
    register(SERVICE)
