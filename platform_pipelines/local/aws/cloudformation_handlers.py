"""ministack's resource handlers, ours among them: what makes, changes and deletes one resource.

Called inside of the scope of the stack's Region. They raise Fault where ours are asked, and what
`cloudformation_reasons.HANDLER_ERRORS` names where ministack's own are.
"""

from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import Properties, Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What a handler has made."""

    id: str
    attributes: dict[str, Any]
    seed: str  # of a made-up name


def provision(kind: str, name: str, props: Properties, stack_name: str) -> Provisioned:
    """Create a resource. Raises: Fault, ValueError and what ministack's handlers raise."""
    seed = engine.module("provisioners")._NAME_SEED
    token = seed.set("")
    try:
        id_, attributes = engine.module("provisioners")._provision_resource(
            kind, name, props, stack_name
        )
        return Provisioned(id=id_, attributes=dict(attributes or {}), seed=seed.get())
    finally:
        seed.reset(token)


def replaces(kind: str, old: Properties, new: Properties) -> bool:
    """Whether the difference needs a new resource."""
    return bool(engine.module("provisioners")._replacing_change(kind, old, new))


def refusal(kind: str, old: Properties, new: Properties, id_: str) -> str | None:
    """Why a resource with a name of its own cannot be replaced."""
    found = engine.module("provisioners")._custom_named_replacement_error(kind, old, new, id_)
    return None if found is None else str(found)


def update(
    kind: str, name: str, record: Stack, old: Properties, new: Properties, stack_name: str
) -> Provisioned:
    """Update or replace a resource; the one that it replaces is left for the cleanup."""
    provisioners = engine.module("provisioners")
    seed, deferred = provisioners._NAME_SEED, provisioners._DEFERRED_PREDECESSOR_DELETES
    seeded, later = seed.set(record.get("_name_seed", "")), deferred.set([])
    id_before = record["PhysicalResourceId"]
    attributes = record.get("Attributes") or {}
    try:
        id_, made = provisioners._update_resource(
            kind, id_before, old, new, stack_name, name, attributes
        )
        if id_ == id_before:  # a type that replaces under the same id does it at once
            for delete, args, kwargs in deferred.get():
                delete(*args, **kwargs)
        return Provisioned(id=id_, attributes={**attributes, **(made or {})}, seed=seed.get())
    finally:
        deferred.reset(later)
        seed.reset(seeded)


def delete(kind: str, id_: str, props: Properties, stack_name: str, name: str) -> None:
    """Delete a resource."""
    engine.module("provisioners")._delete_resource(kind, id_, props, stack_name, name)
