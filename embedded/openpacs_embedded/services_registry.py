# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Add a service of AWS's JSON protocol to MiniStack: routing, dispatch, state, reset."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ministack import app
from ministack.core import router
from ministack.core.responses import AccountRegionScopedDict

from openpacs_embedded.patching import add

Action = Callable[[dict[str, Any]], dict[str, Any]]


class ServiceError(ValueError):
    """A call that the service refuses; `code` is the error's name in the service's model."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class JsonService:
    """A service in the form MiniStack's dispatch, persistence and reset expect of a module.

    name: the signing name; target: the prefix of X-Amz-Target; stores: what survives a restart
    """

    name: str
    target: str
    actions: dict[str, Action]
    stores: dict[str, AccountRegionScopedDict] = field(default_factory=dict)

    async def handle_request(
        self, _method: str, _path: str, headers: dict[str, str], body: bytes, _query: Any
    ) -> tuple[int, dict[str, str], bytes]:
        name = headers["x-amz-target"].rpartition(".")[2]
        try:
            if name not in self.actions:
                raise ServiceError("UnknownOperationException", f"Unknown operation: {name}")
            status, answer = 200, self.actions[name](json.loads(body or b"{}"))
        except ServiceError as error:
            status, answer = 400, {"__type": error.code, "message": str(error)}
        content_type = {"Content-Type": "application/x-amz-json-1.1"}
        return status, content_type, json.dumps(answer).encode()

    def get_state(self) -> dict[str, Any]:
        return {name: copy.deepcopy(store) for name, store in self.stores.items()}

    def load_persisted_state(self, data: dict[str, Any]) -> None:
        for name, store in self.stores.items():
            store.update(data.get(name, {}))

    def reset(self) -> None:
        for store in self.stores.values():
            store.clear()


def register(service: JsonService) -> None:
    add(app.SERVICE_REGISTRY, service.name, {"module": service.name})
    add(app.SERVICE_HANDLERS, service.name, service.handle_request)
    add(app._state_map, service.name, service.name)
    add(app._loaded_modules, service.name, service)
    patterns = {"target_prefixes": [f"{service.target}."], "credential_scope": service.name}
    add(router.SERVICE_PATTERNS, service.name, patterns)
