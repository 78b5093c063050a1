# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Fetch an identity from its secret, and keep it there. Private to this collection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._errors import ModuleError
from .._secrets import api
from .._secrets.apply import apply_plan
from .._secrets.plan import DIGEST_TAG, Plan, Secret, StoredSecret, digest, plan_secret
from . import content, deployers, folders
from .content import Identity

POLICY_TAG = "openpacs:policy"


@dataclass(frozen=True)
class Home:
    """Where an identity is kept.

    name: of the secret.
    readers: ARNs of those who deploy; empty leaves the policy of a secret as it is.
    """

    client: Any
    name: str
    folders: folders.Folders
    readers: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """What was done.

    kept: whether the account holds just what the folders hold, and is read by whom it should.
    fetched: whether the folders were filled from the account.
    kms_key_id: key of the secret, None without one of our own.
    """

    kept: bool
    fetched: bool
    kms_key_id: str | None
    changes: list[str]


def fetch(home: Home) -> Outcome | None:
    """Bring the folders up to date; None where the account has nothing.

    Raises ModuleError where the folders hold a CA that the account does not have.
    """
    stored = api.find_secret(home.client, home.name)
    if stored is None or stored.deleted:
        return None
    ours = folders.read(home.folders)
    settled = _policy_is_settled(home, stored)
    if _is_stored(home, ours, stored):
        return Outcome(settled, False, stored.kms_key_id, [])
    theirs = _read(home)
    refuse_contradictions(home, content.contradictions(ours, theirs))
    folders.write(home.folders, theirs)
    return Outcome(settled, True, stored.kms_key_id, [])


def keep(
    home: Home,
    kms_key_id: str | None,
    tags: Mapping[str, str],
    caller: Callable[[], str],
    check_mode: bool,
) -> Outcome:
    """Store what the folders hold. What another run has stored meanwhile wins, and is fetched.

    caller: returns the ARN of the one who deploys now.
    """
    ours = folders.read(home.folders)
    secret = _secret(home, ours, kms_key_id, tags)
    stored = api.find_secret(home.client, home.name)
    if stored is not None and not stored.deleted and _others_went_on(home, ours, stored):
        return _give_way(home, stored)
    plan = plan_secret(secret, stored)
    new_policy = stored is None or not _policy_is_settled(home, stored)
    policy = _policy(home, caller()) if new_policy else ""
    changes = [*plan.changes, *(["policy changed"] if new_policy and not plan.create else [])]
    if check_mode:
        return Outcome(False, False, stored.kms_key_id if stored else None, changes)
    if not _write(home, secret, stored, plan):
        return _give_way(home, api.describe_secret(home.client, home.name))
    if new_policy:
        api.put_policy(home.client, home.name, policy)
        api.tag_secret(home.client, home.name, {POLICY_TAG: deployers.digest(policy)})
    return Outcome(True, False, kms_key_id, changes)


def refuse_contradictions(home: Home, found: Mapping[str, tuple[str, str | None]]) -> None:
    """Raise ModuleError where a CA of this machine is not the environment's."""
    for path, (here, there) in found.items():
        raise ModuleError(
            f"The CA {_local(home, path)} has the fingerprint {here}, and the one that the secret "
            f"{home.name} keeps for the environment {there or 'does not exist'}. Nothing was "
            f"changed. Clients that trust the other CA would be cut off. Move "
            f"{_listed(home)} away to go on with what the account keeps; or set "
            "pki_home to local to go on with this machine's; or name another environment in "
            "dicoogle_environment, or another folder in dicoogle_local_dir."
        )


def _policy(home: Home, caller: str) -> str:
    """Return the policy that is wanted. Raises ModuleError where it would lock the caller out."""
    readers = home.readers or [caller]
    if not deployers.includes(readers, caller):
        raise ModuleError(
            f"pki_deployers is {', '.join(readers)}, and you are {caller}: after this run you "
            "could not deploy any more. Add your user or role to it."
        )
    return deployers.policy(readers)


def _secret(home: Home, ours: Identity, kms_key_id: str | None, tags: Mapping[str, str]) -> Secret:
    value = content.pack(ours)
    if len(value) > content.LARGEST_VALUE:
        raise ModuleError(
            f"{_listed(home)} have {len(value)} bytes when packed, and a secret holds "
            f"{content.LARGEST_VALUE}. Set pki_home to local, and back these folders up yourself."
        )
    return Secret(home.name, value, kms_key_id, tags, digest(home.name, ours.text))


def _write(home: Home, secret: Secret, stored: StoredSecret | None, plan: Plan) -> bool:
    """Carry the plan out; False when another run has made the secret meanwhile."""
    if stored is None:
        return api.create_secret(home.client, secret) is not None
    apply_plan(home.client, secret, stored, plan)
    return True


def _others_went_on(home: Home, ours: Identity, stored: StoredSecret) -> bool:
    return not _is_stored(home, ours, stored) and not content.continues(ours, _read(home))


def _give_way(home: Home, stored: StoredSecret) -> Outcome:
    folders.write(home.folders, _read(home))
    return Outcome(_policy_is_settled(home, stored), True, stored.kms_key_id, ["fetched"])


def _is_stored(home: Home, ours: Identity, stored: StoredSecret) -> bool:
    return stored.tags.get(DIGEST_TAG) == digest(home.name, ours.text)


def _policy_is_settled(home: Home, stored: StoredSecret) -> bool:
    """Tell whether the policy is what is asked for. One without a tag was never written."""
    tag = stored.tags.get(POLICY_TAG)
    if not home.readers:
        return tag is not None
    return tag == deployers.digest(deployers.policy(home.readers))


def _read(home: Home) -> Identity:
    hints = {
        "AccessDeniedException": (
            "Only those who deploy the environment may read it: run as one of them, or have one of "
            "them run site with your user or role in pki_deployers. You need kms:Decrypt, too."
        )
    }
    value = api.read_binary(home.client, home.name, hints)
    try:
        return content.unpack(value)
    except ValueError as error:
        raise ModuleError(
            f"The secret {home.name} does not hold what site has stored: {error}. Make the version "
            "before it current again, which Secrets Manager keeps as AWSPREVIOUS."
        ) from error


def _local(home: Home, path: str) -> str:
    name, _slash, rest = path.partition("/")
    return str(home.folders[name] / rest)


def _listed(home: Home) -> str:
    return " and ".join(str(folder) for folder in home.folders.values())
