# Copyright (c) 2026 openpacs contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Teach MiniStack's CloudFormation resource types: `register` a new one, `amend` one it has.

Both end in its own registries: the handlers of a type, the properties whose change replaces the
resource (and make `Replacement` in a change set exact), the property that takes the stack's tags.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.services.cloudformation import provisioners

from openpacs_embedded import patching

Properties = dict[str, Any]
Attributes = dict[str, Any]


@dataclass(frozen=True)
class ResourceType:
    """One CloudFormation resource type.

    create(logical_id, properties, stack_name) -> (physical id, attributes for Fn::GetAtt)
    update(physical_id, old, new) -> attributes; only for changes that keep the resource
    delete(physical_id, properties)
    create_only: properties whose change replaces the resource, as in the type's schema
    tags: (property, "list" or "map") that takes the stack's tags, None for a type without tags

    Each raises ValueError with the service's own reason.
    """

    create: Callable[[str, Properties, str], tuple[str, Attributes]]
    update: Callable[[str, Properties, Properties], Attributes]
    delete: Callable[[str, Properties], None]
    create_only: tuple[str, ...] = ()
    tags: tuple[str, str] | None = ("Tags", "list")


def register(name: str, resource_type: ResourceType) -> None:
    """Add a resource type that MiniStack does not have."""

    def update(
        physical_id: str, old: Properties, new: Properties, _stack_name: str
    ) -> tuple[str, Attributes]:
        return physical_id, resource_type.update(physical_id, old, new)

    handlers = {"create": resource_type.create, "update": update, "delete": resource_type.delete}
    patching.add(provisioners._RESOURCE_HANDLERS, name, handlers)
    patching.add(provisioners._REPLACING_PROPERTIES, name, resource_type.create_only)
    if resource_type.tags:
        patching.add(provisioners._STACK_TAG_PROPERTY, name, resource_type.tags)


def _same(properties: Properties) -> Properties:
    return properties


def _nothing(_physical_id: str, _properties: Properties) -> None:
    return None


def _anything(_new: Properties, _old: Properties) -> None:
    return None


def _no_attributes(_physical_id: str, _new: Properties, _old: Properties) -> Attributes:
    return {}


def amend(
    name: str,
    *,
    check: Callable[[Properties, Properties], None] = _anything,
    prepare: Callable[[Properties], Properties] = _same,
    complete: Callable[[str, Properties, Properties], Attributes] = _no_attributes,
    release: Callable[[str, Properties], None] = _nothing,
    sweep: Callable[[str, Properties], None] = _nothing,
) -> None:
    """Complete a resource type that MiniStack has; amendments of one type add up.

    check(new, old) refuses properties with ValueError; `old` is empty on creation
    prepare(properties) -> the properties in the form its handlers understand
    complete(physical_id, new, old) applies what they drop and returns the attributes they omit
    release(physical_id, properties) runs before a deletion and may refuse it with ValueError
    sweep(physical_id, properties) removes what a deletion leaves behind
    """
    handlers = provisioners._RESOURCE_HANDLERS[name]
    stock_create, stock_delete = handlers["create"], handlers["delete"]

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Attributes]:
        check(props, {})
        physical_id, attributes = stock_create(logical_id, prepare(props), stack_name)
        try:
            return physical_id, attributes | complete(physical_id, props, {})
        except Exception:
            stock_delete(physical_id, props)
            raise

    def delete(physical_id: str, props: Properties, *logical_id: str) -> None:
        release(physical_id, props)
        stock_delete(physical_id, props, *logical_id)
        sweep(physical_id, props)

    parts = {"create": create, "delete": delete}
    if stock_update := handlers.get("update"):

        def update(
            physical_id: str, old: Properties, new: Properties, stack_name: str, *logical_id: str
        ) -> tuple[str, Attributes]:
            check(new, old)
            kept_id, attributes = stock_update(
                physical_id, prepare(old), prepare(new), stack_name, *logical_id
            )
            return kept_id, attributes | complete(kept_id, new, old)

        parts["update"] = update
    patching.extend(provisioners._RESOURCE_HANDLERS, name, **parts)


def name_by_itself(name: str, name_property: str) -> None:
    """Give unnamed resources of a type a name that no other has, as CloudFormation does.

    MiniStack derives the name from stack and logical id: a replacement, or a stack created again
    beside what an earlier one retained, would meet a name that is taken.
    """
    handlers = provisioners._RESOURCE_HANDLERS[name]
    stock_create, stock_update = handlers["create"], handlers["update"]

    def create(logical_id: str, props: Properties, stack_name: str) -> tuple[str, Attributes]:
        generated = f"{stack_name}-{logical_id}-{secrets.token_hex(6)}"
        return stock_create(logical_id, {name_property: generated, **props}, stack_name)

    def update(
        physical_id: str, old: Properties, new: Properties, stack_name: str, *logical_id: str
    ) -> tuple[str, Attributes]:
        kept = {name_property: physical_id.rpartition("/")[2]}
        return stock_update(physical_id, kept | old, kept | new, stack_name, *logical_id)

    patching.extend(provisioners._RESOURCE_HANDLERS, name, create=create, update=update)
