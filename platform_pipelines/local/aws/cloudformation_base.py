"""What the operations of CloudFormation share: the engine that carries them out, and its checks."""

from collections.abc import Callable
from typing import Any

from platform_pipelines.local.aws import cloudformation_engine as engine
from platform_pipelines.local.aws import cloudformation_policy as stack_policy
from platform_pipelines.local.aws import cloudformation_seams as seams
from platform_pipelines.local.aws import paging, stores
from platform_pipelines.local.aws.cloudformation_engine import Stack
from platform_pipelines.local.aws.cloudformation_events import Events
from platform_pipelines.local.aws.cloudformation_execution import Execution
from platform_pipelines.local.aws.cloudformation_phases import Phases
from platform_pipelines.local.aws.cloudformation_requests import Requests
from platform_pipelines.local.aws.cloudformation_resources import Resources
from platform_pipelines.local.aws.cloudformation_types import Calls, ResourceType
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, not_implemented

PAGE = 100  # events
VALIDATION = "ValidationError"
_NAMING = ("CreateStack", "RollbackStack", "UpdateStack")  # they answer with the stack's id


class Base(Service):
    """CloudFormation without an operation."""

    name = "cloudformation"

    def start(self) -> None:
        self._types: dict[str, ResourceType] = {}
        self._events = Events(self.world)
        resources = Resources(self._events, self._types.get)
        phases = Phases(self._events, resources)
        self._execution = Execution(self.world, resources, phases)
        self._requests = Requests(self._events, phases, self._execution)

    def bind(self, answer: Callable[[Call], Result]) -> None:
        """Take ministack's engine over; `answer` answers the calls of our resource types."""
        self._types |= seams.install(Calls(answer), self.world)
        self._requests.install()


def refuse(call: Call, *names: str) -> None:
    """Refuse parameters that would otherwise be dropped. Raises: Fault."""
    given = [name for name in names if call.params.get(name)]
    if given:
        raise not_implemented(f"cloudformation {call.operation} with {', '.join(given)}")


def check_policy(body: str | None) -> None:
    """Raises: Fault, for what is no stack policy."""
    if body and not stack_policy.is_policy(body):
        raise Fault(VALIDATION, "Error validating stack policy: Invalid stack policy")


def stack_of(call: Call) -> Stack:
    """The stack that a call is about. Raises: Fault."""
    name = call.params.get("StackName") or ""
    found = engine.stack(name)
    if found is None:
        raise Fault(VALIDATION, f"Stack [{name}] does not exist")
    return found


def paged(key: str, items: list[dict[str, Any]], token: str | None) -> Result:
    """A page of an answer. Raises: Fault, for a token that is not ours."""
    wrong = Fault(VALIDATION, "The specified NextToken is invalid")
    return paging.paged(key, items, {"NextToken": token}, wrong=wrong, limit=PAGE)


def once(call: Call, expect: Callable[[Stack | None], None] = lambda _: None) -> Result:
    """What ministack answers; the same request, by its token, is not carried out again. `expect`
    refuses a stack that a new request cannot be for. Raises: Fault."""
    token, name = call.params.get("ClientRequestToken"), call.params["StackName"]
    stack = engine.stack(name)
    earlier = stack.get("_tokens", {}).get(token) if stack else None
    if stack and earlier == call.operation:
        return {"StackId": stack["StackId"]} if call.operation in _NAMING else {}
    if earlier:
        message = f"The specified token {token} belongs to {earlier} of this stack"
        raise Fault("TokenAlreadyExistsException", message)
    expect(stack)
    result = stores.ask(call)
    stack = engine.stack(name)
    if stack and token:
        stack.setdefault("_tokens", {})[token] = call.operation
    return result
