# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""GetAuthorizationToken tells the password that the registry takes."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import ecr

from openpacs_embedded.access_key import access_key
from openpacs_embedded.admission import USER
from openpacs_embedded.patching import replace


def get_authorization_token(original: Callable[..., Any], data: dict[str, Any]) -> Any:
    """GetAuthorizationToken with a password of this AWS."""
    status, _headers, body = original(data)
    answer = json.loads(body)
    token = base64.b64encode(f"{USER}:{access_key().password}".encode()).decode()
    for entry in answer["authorizationData"]:
        entry["authorizationToken"] = token
    return json_response(answer, status)


def install() -> None:
    """Tell the password."""
    replace("_get_authorization_token", get_authorization_token, ecr)
