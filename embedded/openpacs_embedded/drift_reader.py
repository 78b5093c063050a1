# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a resource is read for drift detection."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Record = Mapping[str, Any]
Find = Callable[[str, Mapping[str, Any]], Record | None]
Read = Callable[[Record, Any], Any]  # (record, value in the template) -> value now
Entry = tuple[Callable[[str, Mapping[str, Any]], dict[str, Any] | None], frozenset[str]]


@dataclass(frozen=True)
class Reader:
    """One resource type.

    find(physical_id, template's properties) -> record, None when the resource is gone
    properties: property -> its value now; a reader without any tells only whether it exists
    """

    find: Find
    properties: Mapping[str, Read]

    def read(self, physical_id: str, expected: Mapping[str, Any]) -> dict[str, Any] | None:
        record = self.find(physical_id, expected)
        if record is None:
            return None
        return {name: read(record, expected.get(name)) for name, read in self.properties.items()}

    def entry(self) -> Entry:
        """The reader in the form of MiniStack's registry."""
        return self.read, frozenset(self.properties)

    def beside(self, stock: Entry) -> Entry:
        """The same with what MiniStack's own reader adds."""
        stock_read, stock_properties = stock

        def read(physical_id: str, expected: Mapping[str, Any]) -> dict[str, Any] | None:
            known, more = stock_read(physical_id, expected), self.read(physical_id, expected)
            return None if known is None or more is None else known | more

        return read, stock_properties | frozenset(self.properties)


def member(name: str, default: Any = None) -> Read:
    """A property that the record holds under a name, in the template's own form."""
    return lambda record, _expected: record.get(name, default)


def translated(name: str, translate: Callable[[Any], Any]) -> Read:
    """A property that the record holds translated: the template's value while that is so."""

    def read(record: Record, expected: Any) -> Any:
        now = record.get(name)
        return expected if expected is not None and translate(expected) == now else now

    return read


def same_set(name: str) -> Read:
    """A list whose order means nothing, in the template's order while it has the same items."""

    def read(record: Record, expected: Any) -> Any:
        now = record.get(name) or []
        return expected if expected and sorted(map(str, expected)) == sorted(map(str, now)) else now

    return read
