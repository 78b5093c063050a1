# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""CloudWatch's embedded metric format: a line of the log that becomes metrics.

The AWS documentation calls it `Specification: Embedded metric format`.
"""

from __future__ import annotations

import json
from typing import Any

_UNITS = {
    "ImagesNotFindable": "Count",
    "OldestNotFindable": "Seconds",
    "IndexLost": "Count",
    "StorageClosed": "Count",
}


def line(namespace: str, status: dict[str, Any], now: float) -> str:
    """Return the line for a status of the keeper, without dimensions."""
    metrics = [{"Name": name, "Unit": unit} for name, unit in _UNITS.items()]
    directive = {"Namespace": namespace, "Dimensions": [[]], "Metrics": metrics}
    return json.dumps(
        {
            "_aws": {"Timestamp": int(now * 1000), "CloudWatchMetrics": [directive]},
            "ImagesNotFindable": status["not_findable"],
            "OldestNotFindable": status["oldest_seconds"],
            "IndexLost": int(status["index"] == "lost"),
            "StorageClosed": int(not status["storage_open"]),
        }
    )
