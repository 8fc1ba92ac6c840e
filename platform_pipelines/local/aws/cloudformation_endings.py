"""How stack operations end, and the deletions that several of their phases begin."""

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import RETAINING, Design, Stack
from platform_pipelines.local.aws.cloudformation_events import Events
from platform_pipelines.local.aws.cloudformation_records import (
    CANCELLED,
    CREATE,
    FAILED,
    KEY,
    Tasks,
    named,
    of,
)
from platform_pipelines.local.aws.cloudformation_removal import (
    after_dependents,
    drop_obsolete,
    removal,
)
from platform_pipelines.local.aws.cloudformation_resources import Resources


class Endings:
    """What all phases share."""

    def __init__(self, events: Events, resources: Resources) -> None:
        self._events = events
        self._resources = resources

    def remove(
        self,
        stack: Stack,
        plan: Design,
        names: list[str],
        *,
        undoing: bool = False,
        retained: frozenset[str] = frozenset(),
    ) -> None:
        """Make tasks that delete these resources, dependents first; what is to be kept leaves the
        stack at once. `undoing`: of the operation that made them."""
        of(stack)["tasks"] = tasks = {}
        for name in reversed(names):
            policy = plan.policy(name, "DeletionPolicy", stack["_resources"])
            one = removal(stack["_resources"][name], name, "" if undoing else policy)
            if name in retained or self._keeps(stack, policy, undoing=undoing):
                self._resources.skip(stack, one, "DELETE_SKIPPED")
                del stack["_resources"][name]
            elif one["id"]:
                tasks[name] = one
            else:
                del stack["_resources"][name]  # it was never made
        after_dependents(tasks, plan)

    @staticmethod
    def _keeps(stack: Stack, policy: str, *, undoing: bool) -> bool:
        if not undoing:
            return policy in RETAINING
        return policy == "Retain" and not of(stack)["retain_except_on_create"]

    @staticmethod
    def _unfinished(stack: Stack, verb: str) -> str:
        """Which resources failed, or were cancelled because others did; empty if none. New ones fail
        to create, also in an update."""
        tasks = of(stack)["tasks"]
        new = {key: one for key, one in tasks.items() if one["does"] == CREATE}
        old = {key: one for key, one in tasks.items() if key not in new}
        told = (("create", _failures(new)), (verb, _failures(old)))
        return " ".join(
            f"The following resource(s) failed to {done}: [{', '.join(names)}]."
            for done, names in told
            if names
        )

    def _fail(self, stack: Stack, status: str, reason: str) -> None:
        """End without going on; the operation stays, for a person to roll back or continue."""
        self._executed(stack, "EXECUTE_FAILED")
        self._events.of_stack(stack, status, reason)

    def _succeed(self, stack: Stack, status: str) -> None:
        self._executed(stack, "EXECUTE_COMPLETE")
        self._end(stack, status)

    def _end(self, stack: Stack, status: str) -> None:
        self._events.of_stack(stack, status)
        del stack[KEY]

    @staticmethod
    def _executed(stack: Stack, status: str) -> None:
        change_set = engine.change_sets().get(of(stack)["change_set"])
        if change_set:
            change_set["ExecutionStatus"] = status
            drop_obsolete(stack)


def _failures(tasks: Tasks) -> list[str]:
    cancelled = {key: one for key, one in tasks.items() if one["announced"]}
    return sorted({*named(tasks, FAILED), *named(cancelled, CANCELLED)})
