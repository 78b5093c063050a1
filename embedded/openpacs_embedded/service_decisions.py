# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service does next: how many tasks to start and to stop, when a deployment has ended.

Pure decisions over the records of MiniStack's ECS; services_ecs acts on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from openpacs_embedded.task_definitions import has_health_check

LONGEST_PAUSE = 60.0  # seconds between two attempts of a service whose tasks keep ending
STEADY = 1.0  # seconds that a task without health checks has to run to count as started
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """Start so many tasks of the current deployment; stop so many of it, and of earlier ones."""

    start: int = 0
    stop_current: int = 0
    stop_earlier: int = 0


def next_step(service: Record, current: int, earlier: int, earlier_running: int) -> Step:
    """Decide within the deployment's limits.

    current: tasks of the current deployment that have not ended; earlier: those of earlier ones,
    of which earlier_running run and have not been told to end.
    """
    desired = int(service["desiredCount"])
    if current > desired:
        return Step(stop_current=current - desired)
    missing = desired - current
    if not missing:
        return Step()
    limits = service.get("deploymentConfiguration") or {}
    most = max(1, desired * int(limits.get("maximumPercent", 200)) // 100)
    fewest = -(-desired * int(limits.get("minimumHealthyPercent", 100)) // 100)
    start = max(0, min(missing, most - current - earlier))
    stop = min(missing - start, max(0, earlier_running - fewest)) if start < missing else 0
    return Step(start=start, stop_earlier=stop)


def is_steady(task: Record, definition: Record, age: float) -> bool:
    """Return whether a task counts as started: it runs and its health checks say so."""
    if task["lastStatus"] != "RUNNING" or task["desiredStatus"] == "STOPPED":
        return False
    essential = [c for c in definition["containerDefinitions"] if c.get("essential", True)]
    if any(has_health_check(container) for container in essential):
        return bool(task["healthStatus"] == "HEALTHY")
    return age >= STEADY


def pause_after(failures: int) -> float:
    """Return how many seconds a service waits before it tries again: 0, 1, 2, 4 ..."""
    return min(LONGEST_PAUSE, 2.0 ** (failures - 1)) if failures else 0.0


def breaker(service: Record) -> Record:
    """Return the deployment circuit breaker's settings."""
    limits = service.get("deploymentConfiguration") or {}
    return limits.get("deploymentCircuitBreaker") or {}


def completed(deployments: Iterable[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the deployment to go back to: the last one that completed."""
    return next((d for d in deployments if d["rolloutState"] == "COMPLETED"), None)
