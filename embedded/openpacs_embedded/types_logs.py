# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch Logs: an unnamed log group does not meet one that an earlier stack retained."""

from __future__ import annotations

from ministack.services import cloudwatch_logs
from ministack.services.cloudformation.helpers import _sdk_error

from openpacs_embedded.types_registry import Properties, amend, name_by_itself


def _refuse_taken_name(new: Properties, old: Properties) -> None:
    if not old and new.get("LogGroupName") in cloudwatch_logs._log_groups:
        message = "The specified log group already exists"
        raise ValueError(_sdk_error(message, "CloudWatchLogs", 400))


def install() -> None:
    name_by_itself("AWS::Logs::LogGroup", "LogGroupName")
    amend("AWS::Logs::LogGroup", check=_refuse_taken_name)
