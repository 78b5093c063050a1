# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS Backup: BackupSelection, and what MiniStack leaves out of vaults and plans."""

from __future__ import annotations

import json
from typing import Any

from ministack.services import backup
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.types_registry import Attributes, Properties, ResourceType, amend, register


def _answer(response: tuple[int, dict[str, str], bytes]) -> dict[str, Any]:
    status, _headers, body = response
    answer = json.loads(body) if body else {}
    if status >= 400:
        raise ValueError(_sdk_error(answer.get("Message", body.decode()), "Backup", status))
    return answer


def _create_selection(_logical_id: str, props: Properties, _stack: str) -> tuple[str, Attributes]:
    plan_id = props["BackupPlanId"]
    selection = {"BackupSelection": props["BackupSelection"]}
    selection_id = _answer(backup._create_selection(plan_id, selection))["SelectionId"]
    physical_id = f"{selection_id}_{plan_id}"
    return physical_id, {"Id": physical_id, "SelectionId": selection_id, "BackupPlanId": plan_id}


def _update_selection(_physical_id: str, _old: Properties, _new: Properties) -> Attributes:
    raise ValueError("AWS::Backup::BackupSelection has no property that can change in place")


def _delete_selection(physical_id: str, _props: Properties) -> None:
    selection_id, _unused, plan_id = physical_id.partition("_")
    if selection_id in backup._selections:
        _answer(backup._delete_selection(plan_id, selection_id))


def _check_vaults(new: Properties, _old: Properties) -> None:
    for rule in new["BackupPlan"]["BackupPlanRule"]:
        if rule["TargetBackupVault"] not in backup._vaults:
            message = f"Backup vault {rule['TargetBackupVault']} does not exist."
            raise ValueError(_sdk_error(message, "Backup", 400))


def _refuse_plan_in_use(physical_id: str, _props: Properties) -> None:
    if any(s["BackupPlanId"] == physical_id for s in backup._selections.values()):
        message = "Related backup plan selections must be deleted prior to backup plan deletion"
        raise ValueError(_sdk_error(message, "Backup", 400))


def _lock(physical_id: str, new: Properties, _old: Properties) -> Attributes:
    """The vault's lock, which MiniStack drops; without ChangeableForDays it may be lifted."""
    lock = new.get("LockConfiguration") or {}
    vault = backup._vaults[physical_id]
    vault["Locked"] = bool(lock)
    for name in ("MinRetentionDays", "MaxRetentionDays"):
        vault.pop(name, None)
        if name in lock:
            vault[name] = int(lock[name])
    return {}


def _refuse_taken_vault(new: Properties, old: Properties) -> None:
    if not old and new["BackupVaultName"] in backup._vaults:
        message = f"Backup vault with the same name already exists: {new['BackupVaultName']}"
        raise ValueError(_sdk_error(message, "Backup", 400))


def install() -> None:
    amend("AWS::Backup::BackupVault", check=_refuse_taken_vault, complete=_lock)
    register(
        "AWS::Backup::BackupSelection",
        ResourceType(
            _create_selection,
            _update_selection,
            _delete_selection,
            ("BackupPlanId", "BackupSelection"),
            tags=None,
        ),
    )
    amend("AWS::Backup::BackupPlan", check=_check_vaults, release=_refuse_plan_in_use)
