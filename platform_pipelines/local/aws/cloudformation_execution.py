"""Stack operations as timers: nothing runs but what is due, and what is to come is data.

An operation starts a moment after its request, asks for every resource whose dependencies are
complete, and looks at each until its service says that it is ready, has failed or is gone. When all
tasks of a phase have ended, `cloudformation_phases` says what follows. A Region whose control plane
stands still parks its operations; a fault in the transition `stack_resource` (resource
`<stack>/<LogicalId>`) holds one up or fails it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_phases as phases
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_reasons import (
    HANDLER_ERRORS,
    NOT_STABILIZED,
    handler_code,
    is_busy,
    told,
)
from platform_pipelines.local.aws.cloudformation_records import (
    CANCELLED,
    ENDED,
    FAILED,
    KEY,
    RUNNING,
    WAITING,
    Operation,
    Task,
    of,
    startable,
)
from platform_pipelines.local.aws.cloudformation_resources import Resources
from platform_pipelines.local.aws.cloudformation_types import Condition
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import World

START = "cloudformation.start"
RESOURCE = "cloudformation.resource"

PATIENCE = 1800.0  # AWS-like seconds with a busy service
STABILIZATION = 3 * 3600.0  # AWS-like seconds until a resource that is not ready has failed


class Execution:
    """The operations of all stacks of one world."""

    def __init__(self, world: World, resources: Resources, after: phases.Phases) -> None:
        self._world = world
        self._resources = resources
        self._phases = after
        world.timers.on(START, self._started)
        world.timers.on(RESOURCE, self._looked)

    def begin(self, stack: Stack, operation: Operation) -> None:
        """Take up an operation whose tasks are known; the stack's status says its phase."""
        stack[KEY] = operation
        self._later("stack_starting", START, stack, stack["StackName"])

    def cancel(self, stack: Stack, token: str, reason: str) -> None:
        """End what a stack does by going back."""
        operation = of(stack)
        operation["token"], operation["reason"] = token, reason
        self._give_up(stack)
        self._pump(stack)

    def _started(
        self, account: str, place: str, stack: str, operation: str, *, failed: bool = False
    ) -> None:
        args: dict[str, Any] = {
            "account": account,
            "place": place,
            "stack": stack,
            "operation": operation,
        }
        if stores.parked(self._world, place, START, **args, **({"failed": True} if failed else {})):
            return
        with self._at(account, place, stack, operation) as found:
            if found and failed:
                self.cancel(found, of(found)["token"], "Internal Failure")
            elif found:
                self._pump(found)

    def _looked(  # a timer's arguments
        self,
        account: str,
        place: str,
        stack: str,
        operation: str,
        key: str,
        *,
        failed: bool = False,
    ) -> None:
        args: dict[str, Any] = {
            "account": account,
            "place": place,
            "stack": stack,
            "operation": operation,
        }
        args |= {"key": key} | ({"failed": True} if failed else {})
        if stores.parked(self._world, place, RESOURCE, **args):
            return
        with self._at(account, place, stack, operation) as found:
            if found is None or not _runs(found, key):
                return
            self._go_on(found, key, failed=failed)
            self._pump(found)

    def _go_on(self, stack: Stack, key: str, *, failed: bool) -> None:
        one = of(stack)["tasks"][key]
        if failed:
            self._failed(stack, key, self._not_stabilized(stack, one))
        elif one["accepted"]:
            self._look(stack, key)
        else:
            self._ask(stack, key)

    def _pump(self, stack: Stack) -> None:
        """Ask for everything that waits for nothing; go on to the next phase if nothing is left."""
        while KEY in stack and stack["StackStatus"].endswith("_IN_PROGRESS"):
            operation = of(stack)
            while (key := startable(operation["tasks"])) is not None:
                self._ask(stack, key)
            if any(one["state"] not in ENDED for one in operation["tasks"].values()):
                return
            self._phases.follow(stack)

    def _ask(self, stack: Stack, key: str) -> None:
        one = of(stack)["tasks"][key]
        one["since"] = one["since"] or self._world.now()
        try:
            self._resources.ask(stack, one)
        except Fault as fault:
            self._refused(stack, key, fault)
        except HANDLER_ERRORS as error:
            self._failed(stack, key, str(error))
        else:
            if one["state"] == RUNNING:
                self._look_later(stack, key)

    def _refused(self, stack: Stack, key: str, fault: Fault) -> None:
        one = of(stack)["tasks"][key]
        waited = self._world.now() - one["since"]
        if is_busy(fault) and waited < PATIENCE:
            one["state"] = RUNNING
            self._look_later(stack, key)
        else:
            self._failed(stack, key, told(stack, fault.message, handler_code(fault)))

    def _look(self, stack: Stack, key: str) -> None:
        one = of(stack)["tasks"][key]
        try:
            look = self._resources.look(one)
        except Fault as fault:
            self._refused(stack, key, fault)
            return
        match look.condition, one["does"]:
            case (Condition.GONE, "delete"):
                self._resources.complete(stack, one, look)
            case (Condition.READY, does) if does != "delete":
                self._resources.complete(stack, one, look)
            case (Condition.FAILED | Condition.GONE, _):
                self._failed(stack, key, told(stack, look.reason or "it is gone", "NotStabilized"))
            case _ if self._world.now() - one["since"] > STABILIZATION:
                self._failed(stack, key, self._not_stabilized(stack, one))
            case _:
                self._look_later(stack, key)

    def _failed(self, stack: Stack, key: str, reason: str) -> None:
        operation = of(stack)
        one = operation["tasks"][key]
        one["state"] = FAILED
        self._resources.fail(stack, one, reason)
        forward = stack["StackStatus"] in phases.FORWARD
        if forward and operation["on_failure"] != "DO_NOTHING":
            self._give_up(stack)
        else:
            self._leave_out(operation, key)

    def _give_up(self, stack: Stack) -> None:
        """Cancel everything that has not ended."""
        for one in of(stack)["tasks"].values():
            if one["state"] == RUNNING or (one["state"] == WAITING and one["announced"]):
                word = "creation" if one["does"] == "create" else "update"
                self._resources.fail(stack, one, f"Resource {word} cancelled")
            if one["state"] not in ENDED:
                one["state"] = CANCELLED

    def _leave_out(self, operation: Operation, key: str) -> None:
        """What waits for something that failed is never asked for."""
        for name, one in operation["tasks"].items():
            if key in one["needs"] and one["state"] == WAITING:
                one["state"] = CANCELLED
                self._leave_out(operation, name)

    def _look_later(self, stack: Stack, key: str) -> None:
        resource = f"{stack['StackName']}/{of(stack)['tasks'][key]['name']}"
        self._later("stack_resource", RESOURCE, stack, resource, key=key)

    def _later(self, name: str, kind: str, stack: Stack, resource: str, **more: Any) -> None:
        _, _, _, region, account, _ = stack["StackId"].split(":", 5)
        arguments = {"account": account, "stack": stack["StackId"], "operation": of(stack)["id"]}
        self._world.transition(
            name,
            kind,
            region=region,
            resource=resource,
            place=region,
            **arguments,
            **more,
        )

    @contextmanager
    def _at(self, account: str, region: str, stack: str, operation: str) -> Iterator[Stack | None]:
        """The stack, in its place; None if this operation is not its own any longer."""
        with ministack.scope(account, region):
            found = engine.stack(stack)
            current = found is not None and found.get(KEY, {}).get("id") == operation
            yield found if current else None

    def _not_stabilized(self, stack: Stack, one: Task) -> str:
        return told(stack, f"{NOT_STABILIZED}: {one['kind']} {one['id']}", "NotStabilized")


def _runs(stack: Stack, key: str) -> bool:
    found = of(stack)["tasks"].get(key)
    return found is not None and found["state"] == RUNNING
