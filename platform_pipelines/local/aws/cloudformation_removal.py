"""The tasks that delete resources: which, and in which order."""

from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import Design, Stack
from platform_pipelines.local.aws.cloudformation_records import (
    CREATE,
    DELETE,
    REPLACE,
    Task,
    Tasks,
    task,
)


def drop_change_sets(stack: Stack) -> None:
    """A stack takes its change sets with it."""
    found = engine.change_sets()
    for id_ in [key for key, one in found.items() if one["StackId"] == stack["StackId"]]:
        del found[id_]


def make_obsolete(stack_id: str, executed: str) -> None:
    """The stack's other change sets are of no use once one is executed; ministack's signature."""
    for one in engine.change_sets().values():
        if one["StackId"] == stack_id and one["ChangeSetId"] != executed:
            one["ExecutionStatus"] = "OBSOLETE"


def drop_obsolete(stack: Stack) -> None:
    """They are gone when the execution has ended."""
    found = engine.change_sets()
    for key, one in list(found.items()):
        if one["StackId"] == stack["StackId"] and one["ExecutionStatus"] == "OBSOLETE":
            del found[key]


def removal(record: dict[str, Any], name: str, policy: str = "Delete") -> Task:
    """The task of deleting a resource."""
    return task(
        DELETE,
        name,
        record["ResourceType"],
        id=record.get("PhysicalResourceId", ""),
        properties=record["Properties"],
        snapshot=policy == "Snapshot",
    )


def newly_made(tasks: Tasks) -> Tasks:
    """The tasks that have made something new."""
    return {
        name: one
        for name, one in tasks.items()
        if one["accepted"] and one["does"] in (CREATE, REPLACE)
    }


def after_dependents(tasks: Tasks, plan: Design) -> None:
    """Nothing is deleted before what depends on it."""
    for name, needed in engine.dependencies(plan.template, plan.values).items():
        for other in needed & tasks.keys():
            if name in tasks:
                tasks[other]["needs"].append(name)
