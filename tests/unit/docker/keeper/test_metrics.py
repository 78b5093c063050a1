# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The line that CloudWatch makes metrics of."""

from __future__ import annotations

import json

from keeper.metrics import line

STATUS = {"not_findable": 3, "oldest_seconds": 12.5, "storage_open": False, "index": "lost"}


def test_each_metric_has_a_unit_and_a_value() -> None:
    document = json.loads(line("openpacs/logs", STATUS, 1795582216.6894))
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    assert document["_aws"]["Timestamp"] == 1795582216689
    assert (directive["Namespace"], directive["Dimensions"]) == ("openpacs/logs", [[]])
    values = {each["Name"]: (document[each["Name"]], each["Unit"]) for each in directive["Metrics"]}
    assert values == {
        "ImagesNotFindable": (3, "Count"),
        "OldestNotFindable": (12.5, "Seconds"),
        "IndexLost": (1, "Count"),
        "StorageClosed": (1, "Count"),
    }


def test_all_well_is_zero() -> None:
    status = {"not_findable": 0, "oldest_seconds": 0.0, "storage_open": True, "index": "ok"}
    document = json.loads(line("openpacs/logs", status, 0.0))
    assert [document[name] for name in ("IndexLost", "StorageClosed")] == [0, 0]


def test_it_is_one_line() -> None:
    assert "\n" not in line("openpacs/logs", STATUS, 0.0)
