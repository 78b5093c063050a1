# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A change set and those of its nested stacks as one list of changes. Private; calls nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import drift
from .template import NESTED_STACK

PENDING = ("CREATE_PENDING", "CREATE_IN_PROGRESS")
NOTHING_TO_DO = ("didn't contain changes", "No updates are to be performed")
HOLD_DATA = (
    "AWS::Backup::BackupVault",
    "AWS::Cognito::UserPool",
    "AWS::EFS::FileSystem",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
)

ChangeSet = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """What is to happen to one resource.

    path: logical path, such as `pacs/Network/Vpc`.
    action: `Add`, `Modify`, `Remove`, `Import` or `Dynamic`.
    replacement: `True`, `False`, `Conditional`; empty for what is not modified.
    properties: what differs, such as `InstanceType`, or an attribute such as `Tags`.
    causes: parameters and resources that the differences come from.
    reverts: whether it only undoes what was changed outside CloudFormation.
    """

    path: str
    type: str
    action: str
    replacement: str = ""
    properties: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()
    reverts: bool = False

    def __str__(self) -> str:
        text = f"{self.path} ({self.type}): {self.action}"
        if self.replacement:
            text += f", replacement {self.replacement}"
        if self.properties:
            text += f", {', '.join(self.properties)}"
        if self.causes:
            text += f" <- {', '.join(self.causes)}"
        return text

    def result(self) -> dict[str, Any]:
        """Return the change as a module returns it."""
        return asdict(self) | {"properties": list(self.properties), "causes": list(self.causes)}


def is_pending(change_set: ChangeSet) -> bool:
    """Tell whether the service still works on a change set."""
    return change_set["Status"] in PENDING


def has_begun(change_set: ChangeSet) -> bool:
    """Tell whether a change set is, or was, executed."""
    return change_set.get("ExecutionStatus", "").startswith("EXECUTE_")


def has_failed(change_set: ChangeSet) -> bool:
    """Tell whether a change set cannot be executed, for lack of changes or for an error."""
    return change_set["Status"] == "FAILED"


def is_empty(change_set: ChangeSet) -> bool:
    """Tell whether a change set failed because there is nothing to change."""
    reason = change_set.get("StatusReason", "")
    return has_failed(change_set) and any(text in reason for text in NOTHING_TO_DO)


def nested_ids(change_set: ChangeSet) -> list[str]:
    """Return the ids of the change sets of the nested stacks, one level down.

    A change set that failed because of a nested one names it in its reason.
    """
    listed = [
        change["ResourceChange"]["ChangeSetId"]
        for change in change_set.get("Changes", [])
        if change["ResourceChange"].get("ChangeSetId")
    ]
    blamed = re.findall(r"\barn:\S+:changeSet/[\w/-]+", change_set.get("StatusReason", ""))
    return list(dict.fromkeys(listed + blamed))


def failed_below(root: ChangeSet, known: Mapping[str, ChangeSet]) -> ChangeSet:
    """Return the deepest nested change set that made one fail, or else that one itself.

    known: change sets by id.
    """
    for key in nested_ids(root):
        nested = known.get(key)
        if nested and has_failed(nested) and not is_empty(nested):
            return failed_below(nested, known)
    return root


def is_explained_by_events(change_set: ChangeSet) -> bool:
    """Tell whether the reason of a failure only says where the reasons are."""
    return "DescribeEvents" in change_set.get("StatusReason", "")


def event_reasons(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return what the events of a change set say about the resources that cannot be."""
    return [
        f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason.rstrip('. ')}."
        for event in events
        if (reason := event.get("ValidationStatusReason") or event.get("HookStatusReason"))
        and event.get("LogicalResourceId")
    ]


def fold(root: ChangeSet, path: str, known: Mapping[str, ChangeSet]) -> list[Change]:
    """Return the changes of a change set, those of nested stacks in the place of the stacks.

    A root change set lists a nested stack as modified whenever something it depends on may
    change; where the nested change set is empty, nothing does. A nested stack that is added or
    removed, or of which only outputs change, is listed itself.

    path: logical path of the stack.
    known: change sets by id.
    """
    return list(_fold(root, path, known))


def _fold(change_set: ChangeSet, path: str, known: Mapping[str, ChangeSet]) -> Iterator[Change]:
    for entry in change_set.get("Changes", []):
        resource = entry["ResourceChange"]
        change = _read(resource, path)
        nested = known.get(resource.get("ChangeSetId", ""))
        if nested is None or change.type != NESTED_STACK:
            yield change
            continue
        only_outputs_change = not is_empty(nested) and not nested["Changes"]
        if change.action != "Modify" or only_outputs_change:
            yield change
        yield from _fold(nested, change.path, known)


def _read(resource: Mapping[str, Any], path: str) -> Change:
    details = resource.get("Details", [])
    targets = [detail["Target"] for detail in details]
    causes = [detail.get("CausingEntity", "") for detail in details]
    return Change(
        path=f"{path}/{resource['LogicalResourceId']}",
        type=resource["ResourceType"],
        action=resource["Action"],
        replacement=resource.get("Replacement", ""),
        properties=_unique(target.get("Name") or target["Attribute"] for target in targets),
        causes=_unique(causes),
        reverts=drift.is_drifted(resource) and all(map(drift.is_reverted, details)),
    )


def drifted(root: ChangeSet, path: str, known: Mapping[str, ChangeSet]) -> list[drift.Drift]:
    """Return what was changed outside CloudFormation, as drift-aware change sets tell.

    path: logical path of the stack.
    known: change sets by id.
    """
    found = []
    for entry in root.get("Changes", []):
        resource = entry["ResourceChange"]
        resource_path = f"{path}/{resource['LogicalResourceId']}"
        if drift.is_drifted(resource):
            found.append(drift.from_change(resource, resource_path))
        if nested := known.get(resource.get("ChangeSetId", "")):
            found += drifted(nested, resource_path, known)
    return found


def _unique(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, texts)))


def loses_data(change: Change) -> bool:
    """Tell whether a change may replace or remove a resource that holds data."""
    replaced = change.replacement in ("True", "Conditional")
    return change.type in HOLD_DATA and (change.action == "Remove" or replaced)


def worst_first(changes: Iterable[Change]) -> list[Change]:
    """Return the changes, those that lose data before the others."""
    return sorted(changes, key=lambda change: not loses_data(change))


def data_loss(losses: Sequence[Change]) -> str:
    """Return what would be lost, and how to allow it."""

    def loss(change: Change) -> str:
        verb = "remove" if change.action == "Remove" else "replace"
        return f"{verb} {change.path} ({change.type})"

    return (
        f"The change would {', '.join(map(loss, losses))}, and with it the data in it. If that is "
        f"what you want, set allow_data_loss: [{', '.join(change.path for change in losses)}], "
        "in the role stack the variable stack_allow_data_loss."
    )


def changed_outside(found: Sequence[drift.Drift]) -> str:
    """Return what was changed outside CloudFormation, and how to bring it back."""
    emptied = [item.path for item in found if item.type in HOLD_DATA and item.status == "DELETED"]
    held = f" What {', '.join(emptied)} held comes back from a backup only." if emptied else ""
    return (
        f"Changed outside CloudFormation: {'. '.join(map(str, found))}. A run leaves this as it "
        "is. To bring it back, run with revert_drift=true (a playbook with "
        f"-e stack_revert_drift=true).{held}"
    )


def diff(changes: Sequence[Change]) -> dict[str, str]:
    """Return the changes as Ansible shows differences: one line per resource that is or will be."""
    before = [f"{change.path} ({change.type})" for change in changes if change.action != "Add"]
    after = [str(change) for change in changes if change.action != "Remove"]
    return {
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
    }
