"""Stacks that only have change sets: REVIEW_IN_PROGRESS, until one of these is executed.

ministack would put a new stack in the place of a shell, or of a stack whose creation was rolled
back. In AWS a shell stays the same stack, and what was rolled back has to be deleted first.
"""

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.service import Call, Fault, Result

SHELL = "REVIEW_IN_PROGRESS"
_GONE = "DELETE_COMPLETE"


def filled(call: Call) -> Result:
    """What ministack answers to CreateChangeSet, in the shell that there is. Raises: Fault."""
    name = call.params["StackName"]
    stack = engine.stack(name)
    if call.params.get("ChangeSetType") != "CREATE" or stack is None:
        return stores.ask(call)
    if stack["StackStatus"] != SHELL:
        words = "already exists and cannot be created again with the changeSet"
        message = f"Stack [{stack['StackName']}] {words} [{call.params['ChangeSetName']}]"
        raise Fault("ValidationError", message)
    return _in_its_place(call, stack)


def expect_none(stack: Stack | None) -> None:
    """Raises: Fault, for a stack that is there, in whatever state."""
    if stack and stack["StackStatus"] != _GONE:
        message = f"Stack [{stack['StackName']}] already exists"
        raise Fault("AlreadyExistsException", message)


def _in_its_place(call: Call, shell: Stack) -> Result:
    """Make a change set, and have it belong to a shell."""
    name = shell["StackName"]
    try:
        result = stores.ask(call)
    finally:
        put_back = engine.stacks().get(name)
        engine.stacks()[name] = shell
    if put_back is not None and put_back["StackId"] != shell["StackId"]:
        engine.stack_events(put_back["StackId"]).clear()
    engine.change_sets()[result["Id"]]["StackId"] = shell["StackId"]
    return result | {"StackId": shell["StackId"]}
