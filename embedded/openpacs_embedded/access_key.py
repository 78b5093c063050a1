# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The one access key of this AWS: who has its secret may do everything, who has not, nothing.

The server finds it where SDKs do, in its environment, and so do the Lambda functions it starts.
"""

from __future__ import annotations

import hashlib
import os
import re
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path

ACCOUNT = re.compile(r"\d{12}")


@dataclass(frozen=True)
class AccessKey:
    """An access key, as in the shared credentials file of SDKs."""

    identity: str
    secret: str = field(repr=False)

    def is_named_by(self, identity: str) -> bool:
        """Whether a signature with this access key id has to be made with the secret.

        An account's number in its place chooses that account, as Lambda functions do.
        """
        return identity == self.identity or ACCOUNT.fullmatch(identity) is not None

    @property
    def password(self) -> str:
        """What is shown by those who cannot sign; the secret cannot be derived from it."""
        return hashlib.sha256(f"{self.secret}/password".encode()).hexdigest()


def publish(credentials: Path) -> None:
    """Put the access key of a shared credentials file into the environment.

    Raises KeyError when the file holds none.
    """
    file = ConfigParser(interpolation=None)
    file.read_string(credentials.read_text())
    default = file["default"]
    os.environ["AWS_ACCESS_KEY_ID"] = default["aws_access_key_id"]
    os.environ["AWS_SECRET_ACCESS_KEY"] = default["aws_secret_access_key"]


def access_key() -> AccessKey:
    """Return the access key of this AWS."""
    return AccessKey(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
