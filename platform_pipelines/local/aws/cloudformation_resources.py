"""What a stack operation does with one resource: ask its service, and write what came of it.

Each action takes a task as far as its service has accepted the request; `cloudformation_execution`
looks later whether the service has done it. Called inside of the scope of the stack's Region.
"""

from collections.abc import Callable
from typing import Any

from platform_pipelines.local.aws import cloudformation_handlers as handlers
from platform_pipelines.local.aws import cloudformation_policy as stack_policy
from platform_pipelines.local.aws.cloudformation_engine import Design, Stack
from platform_pipelines.local.aws.cloudformation_events import Events
from platform_pipelines.local.aws.cloudformation_handlers import Provisioned
from platform_pipelines.local.aws.cloudformation_records import (
    CREATE,
    DELETE,
    DONE,
    REPLACE,
    REVERT,
    RUNNING,
    UPDATE,
    Task,
    design,
    of,
)
from platform_pipelines.local.aws.cloudformation_tags import without_own
from platform_pipelines.local.aws.cloudformation_types import (
    Condition,
    Existing,
    Look,
    ResourceType,
    is_missing,
)
from platform_pipelines.local.aws.service import Fault

Find = Callable[[str], ResourceType | None]

INITIATED = "Resource creation Initiated"
REPLACED = "Requested update requires the creation of a new physical resource; hence creating one."
VERBS = {CREATE: "CREATE", UPDATE: "UPDATE", REPLACE: "UPDATE", REVERT: "UPDATE", DELETE: "DELETE"}


class Resources:
    """The resources of the stacks of one world."""

    def __init__(self, events: Events, find: Find) -> None:
        """`find` gives the types that ask their services; ministack's handlers have the others."""
        self._events = events
        self._find = find
        self._actions = {
            CREATE: self._create,
            UPDATE: self._update,
            REVERT: self._revert,
            DELETE: self._delete,
        }

    def ask(self, stack: Stack, one: Task) -> None:
        """Ask for what a task is to do; it is running then, or done if there is nothing to do.
        Raises: Fault, and what ministack's handlers raise."""
        self._actions[one["does"]](stack, one)

    def look(self, one: Task) -> Look:
        """How far the service is. Raises: Fault."""
        type_ = self._find(one["kind"])
        if type_ is None:
            gone = one["does"] == DELETE
            return Look(condition=Condition.GONE if gone else Condition.READY)
        wanted = one["before"] if one["does"] == REVERT else one["properties"]
        existing = Existing(id=one["id"], properties=wanted)
        look = type_.condition(existing)
        if look.condition is Condition.READY and not self._settled(type_, one, existing):
            return Look(condition=Condition.PENDING)
        return look

    @staticmethod
    def _settled(type_: ResourceType, one: Task, existing: Existing) -> bool:
        """Ask for what a service takes only now that the resource is ready."""
        if one["does"] in (CREATE, REPLACE):
            return type_.settle(existing)
        there, wanted = one["before"], one["properties"]
        if one["does"] == REVERT:
            there, wanted = wanted, there
        known = one["does"] in (UPDATE, REVERT)
        return not known or type_.go_on(Existing(id=one["id"], properties=there), wanted)

    def complete(self, stack: Stack, one: Task, look: Look) -> None:
        """The service has done it."""
        one["state"] = DONE
        resources, name = stack["_resources"], one["name"]
        if one["does"] == DELETE:
            if resources.get(name, {}).get("PhysicalResourceId") == one["id"]:
                del resources[name]
        elif one["does"] == REVERT:
            resources[name] = self._before(stack, name) | {"PhysicalResourceId": one["id"]}
        status = f"{VERBS[one['does']]}_COMPLETE"
        self._mark(stack, one, status)
        if look.made and name in resources and one["does"] != DELETE:
            resources[name]["Attributes"] |= dict(look.made.attributes)
        self._events.of_resource(stack, one, status)

    def fail(self, stack: Stack, one: Task, reason: str) -> None:
        """It could not be done."""
        one["reason"] = reason
        status = f"{VERBS[one['does']]}_FAILED"
        self._mark(stack, one, status, reason)
        self._events.of_resource(stack, one, status, reason)

    def skip(self, stack: Stack, one: Task, status: str, reason: str = "") -> None:
        """It is left as it is."""
        one["state"] = DONE
        self._events.of_resource(stack, one, status, reason)

    def _create(self, stack: Stack, one: Task) -> None:
        self._announce(stack, one)
        plan, name = design(stack), one["name"]
        props, dynamic = plan.properties(name, stack["_resources"])
        one["properties"] = _tagged(plan, one, props, stack["Tags"])
        made = handlers.provision(one["kind"], name, one["properties"], stack["StackName"])
        self._accepted(stack, one, made, props, dynamic)
        self._events.of_resource(stack, one, "CREATE_IN_PROGRESS", INITIATED)

    def _update(self, stack: Stack, one: Task) -> None:
        plan, name, kind = design(stack), one["name"], one["kind"]
        record = self._before(stack, name)
        one["id"] = one["id"] or record["PhysicalResourceId"]
        kept = record.get("_dynamic") if self._same(stack, name) else None
        props, dynamic = plan.properties(name, stack["_resources"], kept)
        tags = (of(stack)["previous"] or {})["Tags"]
        one["before"] = _tagged(plan, one, record["Properties"], tags)
        one["before"] |= of(stack)["actual"].get(name, {})
        one["properties"] = _tagged(plan, one, props, stack["Tags"])
        if one["before"] == one["properties"]:
            one["state"] = DONE
            return
        self._announce_update(stack, one)
        made = handlers.update(
            kind, name, record, one["before"], one["properties"], stack["StackName"]
        )
        replaced = made.id != record["PhysicalResourceId"]
        one["does"] = REPLACE if replaced else UPDATE
        self._accepted(stack, one, made, props, dynamic)
        if replaced:
            self._events.of_resource(stack, one, "UPDATE_IN_PROGRESS", INITIATED)

    def _announce_update(self, stack: Stack, one: Task) -> None:
        """Raises: ValueError, for what the stack policy or the resource's name forbids."""
        names = one["kind"], one["before"], one["properties"]
        replaces = handlers.replaces(*names)
        action = stack_policy.REPLACE if replaces else stack_policy.MODIFY
        denied = stack_policy.denial(of(stack)["policy"], action, one["name"], one["kind"])
        refused = denied or handlers.refusal(*names, one["id"])
        self._announce(stack, one, REPLACED if replaces and not refused else "")
        if refused:
            raise ValueError(refused)

    def _revert(self, stack: Stack, one: Task) -> None:
        self._announce(stack, one)
        record = stack["_resources"][one["name"]]
        made = handlers.update(
            one["kind"], one["name"], record, one["properties"], one["before"], stack["StackName"]
        )
        one["id"], one["accepted"], one["state"] = made.id, True, RUNNING

    def _delete(self, stack: Stack, one: Task) -> None:
        self._announce(stack, one)
        try:
            self._remove(stack, one)
        except Fault as fault:
            if not is_missing(fault):
                raise
        one["accepted"], one["state"] = True, RUNNING

    def _remove(self, stack: Stack, one: Task) -> None:
        type_ = self._find(one["kind"])
        if type_ is None:
            handlers.delete(
                one["kind"], one["id"], one["properties"], stack["StackName"], one["name"]
            )
        else:
            keep = one["snapshot"]
            type_.delete(Existing(id=one["id"], properties=one["properties"], snapshot=keep))

    def _announce(self, stack: Stack, one: Task, reason: str = "") -> None:
        """The first event of a task; asking again writes no second one."""
        if one["announced"]:
            return
        one["announced"] = True
        status = f"{VERBS[one['does']]}_IN_PROGRESS"
        if one["does"] == CREATE:
            stack["_resources"].setdefault(one["name"], self._record(one))
        self._mark(stack, one, status)
        self._events.of_resource(stack, one, status, reason)

    def _accepted(
        self,
        stack: Stack,
        one: Task,
        made: Provisioned,
        props: dict[str, Any],
        dynamic: dict[str, Any],
    ) -> None:
        one["id"], one["accepted"], one["state"] = made.id, True, RUNNING
        record = self._record(one) | {
            "PhysicalResourceId": made.id,
            "Properties": props,
            "Attributes": made.attributes,
        }
        if dynamic:
            record["_dynamic"] = dynamic
        if made.seed:
            record["_name_seed"] = made.seed
        stack["_resources"][one["name"]] = record
        self._mark(stack, one, f"{VERBS[one['does']]}_IN_PROGRESS")

    def _record(self, one: Task) -> dict[str, Any]:
        return {
            "LogicalResourceId": one["name"],
            "ResourceType": one["kind"],
            "Properties": {},
            "Attributes": {},
        }

    def _mark(self, stack: Stack, one: Task, status: str, reason: str = "") -> None:
        record = stack["_resources"].get(one["name"])
        if record is None or record.get("PhysicalResourceId", one["id"]) != one["id"]:
            return  # gone, or a replacement has taken its place
        record |= {
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "Timestamp": self._events.now(),
        }

    @staticmethod
    def _before(stack: Stack, name: str) -> dict[str, Any]:
        previous = of(stack)["previous"] or {}
        return dict(previous["_resources"][name])

    @staticmethod
    def _same(stack: Stack, name: str) -> bool:
        """Whether an update leaves the resource's definition as it was."""
        old = (of(stack)["previous"] or {})["_template"].get("Resources", {})
        return bool(old.get(name) == design(stack).resources[name])


def _tagged(
    plan: Design, one: Task, props: dict[str, Any], tags: list[dict[str, str]]
) -> dict[str, Any]:
    """A resource's properties with what its stack tags it with."""
    return without_own(one["kind"], plan.tagged(one["name"], one["kind"], props, tags))
