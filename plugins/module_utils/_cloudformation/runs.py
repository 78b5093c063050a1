# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What all steps of a run share. Private to this collection."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from .._deadline import Deadline
from .event_reader import EventReader, Report

PREFIX = "openpacs-"  # of the names of change sets and operations


@dataclass(frozen=True)
class Run:
    """What all steps of a run share.

    cli_options: what an AWS command needs to go where this run went, such as the region.
    sees_drift: whether boto3 knows change sets that show what was changed outside CloudFormation.
    """

    client: Any
    deadline: Deadline
    report: Report
    check_mode: bool
    cli_options: str = ""
    sees_drift: bool = False

    def reader(self, name: str, stack_id: str) -> EventReader:
        """Return a reader of a stack's events that reports progress."""
        return EventReader(self.client, name, stack_id, self.report)


def new_token() -> str:
    """Return a unique name for a change set or an operation."""
    return f"{PREFIX}{uuid.uuid4()}"
