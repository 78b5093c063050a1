# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ListSecrets with the key of each secret, and DeleteSecret again, as AWS answers them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import json_response
from ministack.services import secretsmanager

from openpacs_embedded.patching import replace


def _list_secrets(original: Callable[..., Any], data: dict[str, Any]) -> Any:
    status, headers, body = original(data)
    if status != 200:
        return status, headers, body
    page = json.loads(body)
    for entry in page["SecretList"]:
        key = secretsmanager._secrets[entry["Name"]].get("KmsKeyId")
        entry |= {"KmsKeyId": key} if key else {}
    return json_response(page)


def _delete_secret(original: Callable[..., Any], data: dict[str, Any]) -> Any:
    """Delete a secret; one that is not there is no error where it was to go at once."""
    name = data.get("SecretId")
    if data.get("ForceDeleteWithoutRecovery") and secretsmanager._resolve(name)[1] is None:
        return json_response({"Name": name, "DeletionDate": int(time.time())})
    return original(data)


def install() -> None:
    replace("_list_secrets", _list_secrets, secretsmanager)
    replace("_delete_secret", _delete_secret, secretsmanager)
