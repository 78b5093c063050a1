# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Carry out the plan for one secret. Private to this collection."""

from __future__ import annotations

from typing import Any

from . import api
from .plan import Plan, Secret, StoredSecret, plan_secret


def apply_plan(
    client: Any, secret: Secret, stored: StoredSecret | None, plan: Plan
) -> tuple[StoredSecret, Plan]:
    """Take the steps; return the secret as it is then, and the plan that was carried out.

    A new secret may be missing from the listing for a while. Where the name turns out to be taken,
    the secret is described and brought up to date.
    """
    if stored is None:
        created = api.create_secret(client, secret)
        if created is not None:
            return created, plan
        stored = api.describe_secret(client, secret.name)
        plan = plan_secret(secret, stored)
    if plan.restore:
        api.restore_secret(client, secret.name)
    if plan.change_key and secret.kms_key_id:
        api.change_key(client, secret.name, secret.kms_key_id)
    if plan.put_value:
        api.put_value(client, secret.name, secret.value)
    if plan.tags:
        api.tag_secret(client, secret.name, plan.tags)
    return stored, plan
