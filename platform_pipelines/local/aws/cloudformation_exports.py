"""Exports of stacks: published when an operation succeeds, held fast while another stack imports them."""

from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws.cloudformation_engine import Stack


def in_the_way(stack: Stack, exports: dict[str, Any]) -> str:
    """Why a stack cannot export just this; empty if it can."""
    for name in exports:
        owner = engine.exports().get(name)
        if owner and owner["StackId"] != stack["StackId"]:
            other = owner["StackId"].split("/")[1]
            return f"Export with name {name} is already exported by stack {other}"
    for name, value in exported(stack).items():
        users = engine.importers(name, stack["StackName"])
        if users and name not in exports:
            return f"Export {name} cannot be deleted as it is in use by {' and '.join(users)}"
        if users and exports[name]["Value"] != value:
            return f"Export {name} cannot be updated as it is in use by {' and '.join(users)}"
    return ""


def exported(stack: Stack) -> dict[str, str]:
    """What a stack exports now."""
    return {
        one["ExportName"]: one["OutputValue"]
        for one in stack.get("Outputs", [])
        if one.get("ExportName")
    }


def publish(stack: Stack, outputs: list[dict[str, Any]], exports: dict[str, Any]) -> None:
    """Set a stack's outputs, and its exports in place of those that it had."""
    withdraw(stack)
    stack["Outputs"] = outputs
    engine.exports().update(exports)


def withdraw(stack: Stack) -> None:
    """End a stack's exports."""
    for name in exported(stack):
        engine.exports().pop(name, None)
