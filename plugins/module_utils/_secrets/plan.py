# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to happen to a secret, decided without any call to AWS and without its stored value.

Private to this collection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

DIGEST_TAG = "openpacs:digest"


@dataclass(frozen=True)
class Secret:
    """A secret as it should be.

    name: the full name, prefix included.
    kms_key_id: ID, alias or ARN; None leaves the key as it is.
    tags: without the digest's tag.
    """

    name: str
    value: str | bytes = field(repr=False)
    kms_key_id: str | None
    tags: Mapping[str, str]
    digest: str


@dataclass(frozen=True)
class StoredSecret:
    """A secret as Secrets Manager lists it.

    kms_key_id: None for the key that AWS manages.
    deleted: scheduled for deletion, can be restored.
    """

    name: str
    arn: str
    kms_key_id: str | None
    tags: Mapping[str, str]
    deleted: bool


@dataclass(frozen=True)
class Plan:
    """The steps for one secret, in the order in which they are taken.

    tags: those to be written last, so that the digest vouches for a value that has arrived.
    """

    create: bool = False
    restore: bool = False
    change_key: bool = False
    put_value: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def changes(self) -> list[str]:
        """The steps in words, without any value; empty when nothing has to be done."""
        words = {
            "created": self.create,
            "restored": self.restore,
            "key changed": self.change_key,
            "value changed": self.put_value,
            "tags changed": bool(set(self.tags) - {DIGEST_TAG}),
        }
        return [word for word, applies in words.items() if applies]


def digest(name: str, value: str) -> str:
    """Return what the digest's tag holds for a value.

    Tags are readable by many, so the digest is slow on purpose: guessing a weak value from it
    costs as much per guess as guessing a password (scrypt, RFC 7914, salted with the full name).
    """
    return hashlib.scrypt(value.encode(), salt=name.encode(), n=2**14, r=8, p=1, dklen=32).hex()


def plan_secret(desired: Secret, stored: StoredSecret | None) -> Plan:
    """Compare a secret with what is stored."""
    if stored is None:
        return Plan(create=True)
    tags = {**desired.tags, DIGEST_TAG: desired.digest}
    return Plan(
        restore=stored.deleted,
        change_key=desired.kms_key_id is not None
        and _key_name(desired.kms_key_id) != _key_name(stored.kms_key_id or ""),
        put_value=stored.tags.get(DIGEST_TAG) != desired.digest,
        tags={key: value for key, value in tags.items() if stored.tags.get(key) != value},
    )


def _key_name(key: str) -> str:
    """Return a key's ID or alias, whether it is given alone or as the end of an ARN."""
    return key.rpartition(":")[2].removeprefix("key/")
