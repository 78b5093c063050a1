# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a module may be given, and may be answered, that nobody has thought of."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from ansible.module_utils.basic import AnsibleModule
from hypothesis import strategies as st

LONG = 5_000  # characters; longer than what names and paths may have

PAGE = b"<html><head><title>Sign in<br></title></head><body>Who are you?</body></html>"
BODIES = [
    PAGE,
    b"<html xmlns='http://www.w3.org/1999/xhtml'><body/></html>",
    b"",
    b"{}",
    b"[]",
    b"null",
    b"5",
    b'"x"',
    b'{"error": {"a": 1}}',
    b'{"__type": 5, "message": {}}',
    b"\xff\xfe\x00",
    b"[" * 100_000,
]
STATUSES = ["200 OK", "204 No Content", "302 Found", "400 Bad", "403 Forbidden", "502 Bad Gateway"]
NO_HTTP = [
    b"",
    b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n{",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/1.1 abc\r\n\r\n",
    b"\x15\x03\x03\x00\x02\x02\x28",  # an alert of TLS
    b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x01",  # an A-ASSOCIATE-RJ
    b"\x02\x00\x00\x00\x00\x04\x00\x01\x00\x00",  # an A-ASSOCIATE-AC that is too short
    b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00",  # an A-ABORT
    b"\xff" * 64,
]

odd_texts = st.one_of(
    st.sampled_from(
        ["", " ", "\n", "\0", "\ud800", "x" * LONG, "ä\u202e", "1.2.3\n", "..", "{{ x }}", "-1"]
    ),
    st.text(st.characters(exclude_categories=()), max_size=8),
)
numbers = st.sampled_from([0, -1, 1, 2**31, 2**63, 10**30, "NaN", 1.5, " 7 "])
no_hosts = st.sampled_from(["", " ", "a..b", "x" * LONG, "\0", "\ud800", "a b"])
floats = numbers | st.sampled_from(["inf", "-inf", "1e400"])  # Ansible fails for an int of these
anything = st.recursive(
    st.none() | st.booleans() | numbers | odd_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3),
    max_leaves=4,
)


def answers() -> st.SearchStrategy[bytes]:
    """Return strategies of what a server writes before it closes the connection."""

    def http(status: str, body: bytes) -> bytes:
        head = f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n"
        return f"{head}Connection: close\r\n\r\n".encode() + body

    return st.sampled_from(NO_HTTP) | st.builds(
        http, st.sampled_from(STATUSES), st.sampled_from(BODIES)
    )


def paths(folder: Path) -> st.SearchStrategy[str]:
    """Return a strategy of paths to odd places, none of them outside the folder."""
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "file").write_bytes(b"Resources: [")
    (folder / "loop").unlink(missing_ok=True)
    (folder / "loop").symlink_to(folder / "loop")
    names = st.sampled_from(["", "file", "file/x", "folder", "loop", "missing", "\udcff", "\0"])
    texts = odd_texts.map(lambda text: text[:300].replace("/", "").replace(".", ""))
    return (names | texts).map(lambda name: f"{folder}/{name}")


class _SpecError(Exception):
    """Carries the specification out of a module's start."""


def argument_spec(module: Any) -> dict[str, dict[str, Any]]:
    """Return the options of a module, those that it shares with others included."""

    def stop(_self: Any, argument_spec: dict[str, Any], **_options: Any) -> None:
        raise _SpecError(argument_spec)

    with patch.object(AnsibleModule, "__init__", stop), pytest.raises(_SpecError) as caught:
        module.main()
    return caught.value.args[0]


def arguments(
    spec: Mapping[str, Mapping[str, Any]], folder: Path, fixed: Mapping[str, st.SearchStrategy]
) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of values for options, most of them of the types that these have.

    fixed: options that are always given, and what is given.
    """
    given = {
        name: fixed[name] if name in fixed else _values(option, folder)
        for name, option in spec.items()
    }
    always = {
        name: value for name, value in given.items() if name in fixed or spec[name].get("required")
    }
    optional = {name: value for name, value in given.items() if name not in always}
    return st.fixed_dictionaries(always, optional=optional)


def _values(option: Mapping[str, Any], folder: Path) -> st.SearchStrategy[Any]:
    if "choices" in option and option.get("type") != "list":
        return st.sampled_from(option["choices"])
    if "options" in option:
        entries = arguments(option["options"], folder, {})
        return st.lists(entries, max_size=2) if option["type"] == "list" else entries
    if option.get("type") == "list":
        element = {"type": option.get("elements", "str"), "choices": option.get("choices")}
        inner = {key: value for key, value in element.items() if value}
        return st.lists(_values(inner, folder), max_size=3)
    return {
        "bool": st.booleans(),
        "int": numbers,
        "float": floats,
        "path": paths(folder),
        "dict": st.dictionaries(odd_texts, anything, max_size=3),
    }.get(option.get("type", "str"), odd_texts | numbers)


def partial(shape: Any, chance: Random, depth: int = 6) -> Any:
    """Return an answer of a botocore shape, from which anything may be missing."""
    if depth == 0 or shape is None:
        return {}
    match shape.type_name:
        case "structure":
            kept = [name for name in shape.members if chance.random() < 0.8]
            return {name: partial(shape.members[name], chance, depth - 1) for name in kept}
        case "list":
            count = chance.randrange(3)
            return [partial(shape.member, chance, depth - 1) for _each in range(count)]
        case "map":
            return {"x": partial(shape.value, chance, depth - 1)}
        case "timestamp":
            return datetime.now(UTC)
        case "boolean":
            return chance.random() < 0.5
        case "integer" | "long":
            return chance.choice([0, -1, 2**40])
        case "float" | "double":
            return chance.choice([0.0, -1.5])
        case "blob":
            return b"\xff"
        case _:
            return chance.choice([*(shape.enum or ["", "x", "arn", "ä"])])


class OddServer:
    """Reads what comes, writes its answer, and closes the connection. `answer` may be changed."""

    def __init__(self) -> None:
        self.answer = b""

    def talk(self, connection: socket.socket) -> None:
        """Serve one client."""
        connection.settimeout(0.5)
        try:
            connection.recv(1 << 20)
            connection.sendall(self.answer)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(1 << 20):
                pass
        except OSError:
            pass
        finally:
            connection.close()
