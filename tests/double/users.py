# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may sign in. Most of the web API does not ask."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

import bcrypt

PATH = Path("users.xml")


class UsersError(Exception):
    """Something that makes the real one throw."""


@dataclass
class User:
    """A user of the web page."""

    name: str | None
    hash: str
    admin: bool


class Users:
    """The users in users.xml, and who is signed in."""

    def __init__(self) -> None:
        self._tokens: dict[str, str] = {}
        if not PATH.exists():
            self._users: dict[str | None, User] = {}
            self.add("dicoogle", "dicoogle", admin=True)
            return
        root = ElementTree.fromstring(PATH.read_bytes())
        self._users = {
            each.get("username", "xp"): User(
                each.get("username", "xp"), each.get("hash", "xp"), each.get("admin") == "true"
            )
            for each in root.iter("user")
        }

    def names(self) -> list[str | None]:
        """Return the names of all users; UsersError when one has none."""
        if None in self._users:
            raise UsersError
        return list(self._users)

    def add(self, name: str | None, password: str | None, *, admin: bool) -> bool:
        """Add a user, unless the name is taken. Without a name, the file of all is destroyed."""
        if password is None:
            raise UsersError
        if name in self._users:
            return False
        hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()
        self._users[name] = User(name, hashed, admin)
        self._write()
        return True

    def remove(self, name: str) -> bool:
        """Remove a user, unless it is the last administrator."""
        user = self._users.get(name)
        admins = [each for each in self._users.values() if each.admin]
        if user is None or admins == [user]:
            return False
        del self._users[name]
        self._write()
        return True

    def _write(self) -> None:
        text = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<Users>\n'
        for user in self._users.values():
            if user.name is None:
                PATH.write_text(f'{text}<user username="', encoding="utf-8")
                raise UsersError
            admin = str(user.admin).lower()
            attributes = f'username={quoteattr(user.name)} hash="{user.hash}" admin="{admin}"'
            text += f"<user {attributes}/>\n"
        PATH.write_text(f"{text}</Users>\n", encoding="utf-8")

    def sign_in(self, name: str | None, password: str | None) -> tuple[User, str] | None:
        """Return the user and the token, which is the same until somebody signs the user out."""
        user = self._users.get(name)
        if user is None or user.name is None or password is None:
            return None
        try:
            if not bcrypt.checkpw(password.encode(), user.hash.encode()):
                return None
        except ValueError:
            return None
        known = (token for token, each in self._tokens.items() if each == user.name)
        token = next(known, None) or str(uuid.uuid4())
        self._tokens[token] = user.name
        return user, token

    def signed_in(self, token: str | None) -> User | None:
        """Return whose token it is."""
        return self._users.get(self._tokens.get(token or "", ""))

    def sign_out(self, token: str | None) -> None:
        """Forget a token."""
        self._tokens.pop(token or "", None)
