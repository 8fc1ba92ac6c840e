"""Stacks by single calls instead of change sets, and what stands in their way."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from platform_pipelines.local.world import World
from tests.local.aws.stacks import Stacks, StillWorld, resource

LOGIN = {"MasterUsername": "root", "MasterUserPassword": "long-enough"}
NOWHERE = {"FileSystemId": "fs-00000000000000000"}  # a file system that there is not


def broken() -> dict[str, Any]:
    """A resource that no service makes."""
    return resource("AWS::EFS::AccessPoint", **NOWHERE)


def created(stacks: Stacks, name: str, body: dict[str, Any], **more: Any) -> str:
    """Create a stack, by one call; its last status."""
    text = json.dumps(body)
    made = stacks.client("seoul").create_stack(StackName=name, TemplateBody=text, **more)
    return stacks.end("seoul", made["StackId"])


def begun(stacks: Stacks, name: str, body: dict[str, Any], **more: Any) -> str:
    """Begin to update a stack; its id."""
    text = json.dumps(body)
    made = stacks.client("seoul").update_stack(StackName=name, TemplateBody=text, **more)
    return str(made["StackId"])


def updated(stacks: Stacks, name: str, body: dict[str, Any], **more: Any) -> str:
    """Update a stack, by one call; its last status."""
    return stacks.end("seoul", begun(stacks, name, body, **more))


def value(stacks: Stacks, name: str) -> str:
    """What a parameter of SSM says."""
    found = stacks.world.aws("ssm").get_parameter(Name=name)
    return str(found["Parameter"]["Value"])


def fault(stacks: Stacks, resource_: str, ending: str) -> Callable[[], bool]:
    """Make the transition of a stack's resource never end, or fail; call the result to end that."""
    faults = world_of(stacks).faults
    entry = faults.add(
        {
            "kind": "transition",
            "transition": "stack_resource",
            "resource": resource_,
            "ending": ending,
        }
    )
    return partial(faults.remove, entry.id)


def world_of(stacks: Stacks) -> World:
    """The world behind the clients."""
    assert isinstance(stacks.world, StillWorld)
    return stacks.world.world
