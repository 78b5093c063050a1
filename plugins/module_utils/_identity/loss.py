# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refuse a first CA where the environment has one already. Private to this collection."""

from __future__ import annotations

from typing import Any

from .._cloudformation.api import describe_stack
from .._errors import ModuleError
from .content import Identity

SHELL = "REVIEW_IN_PROGRESS"  # of a change set that never ran: there is no environment yet


def refuse_loss(
    cloudformation: Any, environment: str, ours: Identity, folder: str, secret: str | None
) -> None:
    """Raise ModuleError where nobody here knows the CA of an environment that exists.

    secret: name of the secret that should have it, None where the user keeps the folder.
    """
    if ours.authorities:
        return
    stack = describe_stack(cloudformation, environment)
    if stack is None or stack["StackStatus"] == SHELL:
        return
    nowhere = f"{folder} does not hold its CA"
    restore = f"restore {folder} from a backup"
    if secret:
        nowhere += f", and the account has no secret {secret}"
        restore += (
            f", or the secret with 'aws secretsmanager restore-secret --secret-id {secret}' when "
            "it was deleted less than 30 days ago"
        )
    raise ModuleError(
        f"The environment {environment} exists (its stack is {stack['StackStatus']}), but "
        f"{nowhere}. A new CA would cut off every client, so nothing was changed. Run on the "
        f"machine that has the folder, or {restore}. If the CA is lost for good, set "
        "pki_signing_ca to 2: a new one is made, and every client needs a new certificate."
    )
