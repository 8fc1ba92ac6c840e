"""Every operation that the local Regions answer is called, and the answer is one that AWS gives.

The requests are generated, so most name things that do not exist: a typed error is a good answer.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.model import OperationModel

from platform_pipelines import model
from platform_pipelines.local import ministack, validate
from platform_pipelines.local.aws import catalogue, refusals
from platform_pipelines.local.aws.catalogue import Operation
from platform_pipelines.local.http import Response
from platform_pipelines.local.world import Ports, World
from platform_pipelines.local.worldclock import Running
from tests.local.contract import generate, wire
from tests.local.contract.door import Door
from tests.local.contract.errors import OF_ALL, is_error_of
from tests.local_world import PLATFORM

OPERATIONS = catalogue.operations()
NOT_IMPLEMENTED = "NotImplemented"
OURS = [one for one in OPERATIONS if one.ours]


def _named(one: Operation) -> str:
    return one.key


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """A world that all these tests share: nothing listens, and no timer runs."""
    state = tmp_path_factory.mktemp("contract")
    platform = model.load(PLATFORM)
    ministack.configure(platform, state, port=1)
    made = Door(_world(state))
    yield made
    made.close()


def _world(state: Path) -> World:
    return World(
        platform=model.load(PLATFORM),
        state=state,
        ports=Ports(aws=1, kube={"seoul": 2, "tokyo": 3}),
        clock=Running(1.0),
    )


@pytest.mark.parametrize("operation", OPERATIONS, ids=_named)
@pytest.mark.parametrize("make", [generate.minimal, generate.maximal])
def test_what_an_operation_answers_is_what_aws_could_have_answered(
    door: Door, operation: Operation, make: Callable[[OperationModel], dict[str, Any]]
) -> None:
    """A result of the model's shape or an error with a code and its status; nothing breaks."""
    params = make(wire.operation(operation.service, operation.name))
    response = door.call(operation.service, operation.name, params)
    assert _violations(operation, response) == []
    assert response.status != 500, response.body[:500]
    if response.status >= 400:
        _check_error(operation, response)


def _violations(operation: Operation, response: Response) -> list[str]:
    known = wire.operation(operation.service, operation.name)
    return validate.violations(known, known.service_model.resolved_protocol, response)


def _check_error(operation: Operation, response: Response) -> None:
    """What we raise is what the operation says that it raises; what is passed has no gaps."""
    if not response.body:  # as answers to HEAD
        return
    error = wire.read(operation.service, operation.name, response)["Error"]
    if not operation.ours:
        assert error["Code"] != NOT_IMPLEMENTED, error
        return
    told = {*operation.about.raises, *_common(operation), NOT_IMPLEMENTED}  # some parameters may be
    assert error["Code"] in told, f"{error} is not among raises=…"


def _common(operation: Operation) -> frozenset[str]:
    wired = wire.service_model(operation.service).resolved_protocol
    of_all = OF_ALL.get(operation.service, frozenset())
    return refusals.codes(operation.service, wired) | of_all


@pytest.mark.parametrize("operation", OPERATIONS, ids=_named)
def test_what_the_model_does_not_allow_reaches_no_operation(
    door: Door, operation: Operation
) -> None:
    """Whoever answers it: a request without what it has to have is refused before."""
    for name in wire.required_in_body(operation.service, operation.name):
        params = generate.minimal(wire.operation(operation.service, operation.name))
        del params[name]
        response = door.call(operation.service, operation.name, params)
        error = wire.read(operation.service, operation.name, response)["Error"]
        assert (response.status, error["Code"] in _common(operation)) == (400, True), error


@pytest.mark.parametrize("operation", OURS, ids=_named)
def test_every_error_that_an_operation_names_is_one_of_its_service(operation: Operation) -> None:
    """By botocore's model, or by the errors that AWS documents for all operations."""
    told = set(operation.about.raises) - {NOT_IMPLEMENTED}
    unknown = [code for code in told if not is_error_of(operation.service, code)]
    assert unknown == []


@pytest.mark.parametrize("operation", OPERATIONS, ids=_named)
def test_every_operation_that_is_answered_is_one_of_aws(operation: Operation) -> None:
    """A name that botocore does not know could never be called."""
    assert operation.name in catalogue.known(operation.service)


@pytest.mark.parametrize("service", sorted({one.service for one in OPERATIONS}))
def test_what_nobody_answers_is_refused_at_once(door: Door, service: str) -> None:
    """With the code, the status and the text that say it is not here; of each service all of them."""
    for name in catalogue.absent(service):
        params = generate.minimal(wire.operation(service, name))
        response = door.call(service, name, params)
        if response.status != 501:  # two operations of one path are one to a server
            asked = wire.routed(service, wire.sent(service, name, params)).name
            assert asked != name
            continue
        read = wire.read(service, name, response)
        assert read["Error"]["Code"] == NOT_IMPLEMENTED
        assert "not implemented by the local Regions" in read["Error"]["Message"]
