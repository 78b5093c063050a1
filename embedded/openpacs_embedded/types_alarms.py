# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""AWS::CloudWatch::Alarm on an expression over several metrics. It is kept, never evaluated."""

from __future__ import annotations

from typing import Any

from ministack.services.cloudformation import provisioners

from openpacs_embedded.patching import replace
from openpacs_embedded.types_registry import Properties

OF_ONE_METRIC = (  # members that an alarm on an expression does not have
    "Dimensions",
    "ExtendedStatistic",
    "MetricName",
    "Namespace",
    "Period",
    "Statistic",
    "Unit",
)


def alarm_record(original: Any, name: str, props: Properties) -> dict[str, Any]:
    """The record PutMetricAlarm would make; MiniStack makes one of a single metric only."""
    if not props.get("Metrics"):
        return original(name, props)
    single = {**props, "Metrics": None, "MetricName": "expression", "Namespace": "expression"}
    record = original(name, single)
    kept = {key: value for key, value in record.items() if key not in OF_ONE_METRIC}
    return {**kept, "Metrics": [_query(query) for query in props["Metrics"]]}


def _query(query: Properties) -> dict[str, Any]:
    """A metric query with the types the API has: booleans and numbers."""
    typed = {**query, "ReturnData": str(query.get("ReturnData", True)).lower() == "true"}
    if stat := query.get("MetricStat"):
        typed["MetricStat"] = {**stat, "Period": int(stat["Period"])}
    return typed


def install() -> None:
    replace("_cw_metric_alarm_record", alarm_record, provisioners)
