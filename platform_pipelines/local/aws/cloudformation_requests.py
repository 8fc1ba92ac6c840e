"""From a request that ministack has taken to a stack operation of ours.

ministack checks a request, writes the stack's record and then would start a coroutine that does all
of it at once. Its functions that make and start that coroutine are replaced by those of `Requests`,
so that an operation begins instead. A test holds each of the seams.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_policy as stack_policy
from platform_pipelines.local.aws import cloudformation_validation as validation
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_events import USER_INITIATED, Events
from platform_pipelines.local.aws.cloudformation_execution import Execution
from platform_pipelines.local.aws.cloudformation_phases import Phases
from platform_pipelines.local.aws.cloudformation_records import (
    CREATE,
    DELETE,
    FAILED,
    KEY,
    UPDATE,
    UPDATED,
    WAITING,
    Operation,
    Tasks,
    design,
    design_before,
    of,
    operation,
    task,
)
from platform_pipelines.local.aws.cloudformation_removal import make_obsolete


@dataclass
class Request:
    """An operation that was asked for and has not begun."""

    begin: Callable[["Request"], None]
    on_failure: str = ""
    change_set: str = ""


class Requests:
    """Begins the operations of one world."""

    def __init__(self, events: Events, phases: Phases, execution: Execution) -> None:
        self._events = events
        self._phases = phases
        self._execution = execution
        self.policy_during_update = ""  # of the request that is being taken

    def install(self) -> None:
        """Take the place of ministack's background tasks."""
        for module in engine.each_namespace():
            for name, ours in {
                "_add_event": self._events.of_request,
                "_create_stack_task_in_region": start,
                "_drop_other_change_sets": make_obsolete,
                "_create_then_delete_on_failure": deleting_on_failure,
                "_track_change_set_execution": of_change_set,
                "_deploy_stack_async": self.deploy,
                "_delete_stack_async": self.delete,
                "_continue_update_rollback_async": self.go_on_rolling_back,
                "_roll_back_operation": self.roll_back,
            }.items():
                if hasattr(module, name):
                    setattr(module, name, ours)

    def deploy(  # ministack's signature
        self,
        stack_name: str,
        _stack_id: str,
        template: dict[str, Any],
        param_values: dict[str, Any],
        disable_rollback: bool,  # likewise
        _tags: list[Any],
        is_update: bool = False,  # likewise
        previous_stack: dict[str, Any] | None = None,
        retain_except_on_create: bool = False,  # likewise
        imports: dict[str, Any] | None = None,  # noqa: ARG002  # refused before
    ) -> Request:
        """Create or update a stack."""

        def begin(request: Request) -> None:
            stack = engine.stacks()[stack_name]
            change_set = engine.change_sets().get(request.change_set, {})
            made = operation(
                "UPDATE_STACK" if is_update else "CREATE_STACK",
                token=_token(),
                change_set=request.change_set,
                on_failure="DO_NOTHING" if disable_rollback else request.on_failure or "ROLLBACK",
                retain_except_on_create=retain_except_on_create,
                previous=previous_stack if is_update else None,
                actual=change_set.get("_actual", {}),
                policy=self.policy_during_update or stack.get("_stack_policy", ""),
            )
            stack["_template"], stack["_resolved_params"] = template, param_values
            stack[UPDATED] = is_update or bool(request.change_set)
            stack[KEY] = made
            self._events.claim(stack)
            self._plan(stack, made)
            self._execution.begin(stack, made)

        return Request(begin=begin)

    def _plan(self, stack: Stack, made: Operation) -> None:
        """Find out what there is to do."""
        plan = design(stack)
        problems = [] if made["change_set"] else validation.problems(plan, stack["_resources"])
        if problems:
            made["reason"] = validation.FAILED.format(count=len(problems))
            stack["_validation"] = problems
            return
        try:
            needed = engine.dependencies(plan.template, plan.values)
        except ValueError as error:
            made["reason"] = str(error)
            return
        had = (made["previous"] or {}).get("_resources", {})
        made["tasks"] = self._denied(stack, made) or {
            name: task(
                UPDATE if name in had else CREATE,
                name,
                plan.resources[name]["Type"],
                needs=sorted(others),
            )
            for name, others in needed.items()
        }

    def _denied(self, stack: Stack, made: Operation) -> Tasks:
        """The resources that an update would drop although the stack's policy forbids it."""
        kept, tasks = design(stack).resources, dict[str, Any]()
        for name, one in design_before(stack).resources.items():
            denied = stack_policy.denial(made["policy"], stack_policy.DELETE, name, one["Type"])
            if name not in kept and denied:
                tasks[name] = task(DELETE, name, one["Type"], state=FAILED, reason=denied)
                self._events.of_resource(stack, tasks[name], "UPDATE_FAILED", denied)
        return tasks

    def delete(
        self,
        stack_name: str,
        _stack_id: str,
        retain_resources: frozenset[str] = frozenset(),
        force: bool = False,  # ministack's signature
    ) -> Request:
        """Delete a stack."""

        def begin(_request: Request) -> None:
            stack = engine.stacks()[stack_name]
            stack[KEY] = made = operation("DELETE_STACK", token=_token(), force=force)
            self._events.of_stack(stack, "DELETE_IN_PROGRESS", USER_INITIATED)
            retained = retain_resources | self._forced(stack, force=force)
            plan = design(stack)
            names = _in_order(stack)
            self._phases.remove(stack, plan, names, retained=retained)
            self._execution.begin(stack, made)

        return Request(begin=begin)

    @staticmethod
    def _forced(stack: Stack, *, force: bool) -> frozenset[str]:
        """What a forced deletion leaves: what could not be deleted, and what that depends on."""
        if not force:
            return frozenset()
        resources = stack["_resources"]
        failed = [n for n, one in resources.items() if one.get("ResourceStatus") == "DELETE_FAILED"]
        return frozenset(engine.with_dependencies(failed, stack["_template"], set(resources)))

    def roll_back(
        self,
        stack_name: str,
        _stack_id: str,
        _stack: Stack,
        wanted: dict[str, Any],
        reason_override: str = "",
    ) -> Request:
        """Roll back what had failed with its rollback disabled."""

        def begin(_request: Request) -> None:
            stack = engine.stacks()[stack_name]
            failed = of(stack)
            retained = wanted.get("retain_except_on_create", failed["retain_except_on_create"])
            again: Operation = failed | {
                **operation("ROLLBACK", token=_token()),
                "previous": failed["previous"],
                "tasks": failed["tasks"],
                "retain_except_on_create": retained,
            }
            stack[KEY] = again
            self._phases.roll_back(stack, reason_override or USER_INITIATED)
            self._execution.begin(stack, again)

        return Request(begin=begin)

    def go_on_rolling_back(
        self, stack_name: str, _stack_id: str, resources_to_skip: frozenset[str]
    ) -> Request:
        """Continue a rollback of an update that had failed."""

        def begin(_request: Request) -> None:
            stack = engine.stacks()[stack_name]
            made: Operation = of(stack) | {
                "id": operation("")["id"],
                "type": "CONTINUE_ROLLBACK",
                "token": _token(),
            }
            stack[KEY] = made
            self._events.of_stack(stack, "UPDATE_ROLLBACK_IN_PROGRESS", USER_INITIATED)
            for name, one in made["tasks"].items():
                if one["state"] == FAILED and name in resources_to_skip:
                    self._phases.skip(stack, name)
                elif one["state"] == FAILED:
                    one |= {"state": WAITING, "announced": False, "accepted": False, "since": 0.0}
            self._execution.begin(stack, made)

        return Request(begin=begin)


def start(request: Request, _stack: Stack, _stack_id: str | None = None) -> None:
    """Begin what was asked for."""
    request.begin(request)


def deleting_on_failure(_stack_name: str, _stack_id: str, request: Request) -> Request:
    """Leave nothing if the creation fails."""
    request.on_failure = "DELETE"
    return request


def of_change_set(change_set: dict[str, Any], _stack: Stack, request: Request) -> Request:
    """Say in the change set how its execution ends."""
    request.change_set = change_set["ChangeSetId"]
    return request


def _in_order(stack: Stack) -> list[str]:
    """A stack's resources, each after what it depends on; what no template has comes last."""
    plan = design(stack)
    order = engine.dependencies(plan.template, plan.values)
    names = [name for name in order if name in stack["_resources"]]
    return names + [name for name in stack["_resources"] if name not in names]


def _token() -> str:
    return str(engine.module("stacks").CLIENT_REQUEST_TOKEN.get())
