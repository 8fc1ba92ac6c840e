"""Every AWS operation that the local Regions answer, as the registry has them.

For whoever goes through all of them: the table in the docs, and the contract tests. Nothing here is
a list of its own, so an operation that is added is documented and tested with it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache

import botocore.session

from platform_pipelines.local.aws import registry
from platform_pipelines.local.aws.passed import PASSED
from platform_pipelines.local.aws.service import About


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of one service."""

    service: str  # as boto3 names it
    name: str  # as AWS names it
    ours: bool  # answered by a Service of ours; else by ministack
    about: About = field(default_factory=About)

    @property
    def key(self) -> str:
        """efs.DescribeFileSystems: for lists of them."""
        return f"{self.service}.{self.name}"


def operations() -> tuple[Operation, ...]:
    """All of them, by service and name."""
    found = [*_ours(), *_passed()]
    return tuple(sorted(found, key=lambda one: (one.service, one.name)))


def absent(service: str) -> tuple[str, ...]:
    """The operations of a service that are answered with NotImplemented."""
    there = {one.name for one in operations() if one.service == service}
    return tuple(sorted(set(known(service)) - there))


@cache
def known(service: str) -> tuple[str, ...]:
    """The operations of a service that botocore knows, and that are not deprecated."""
    model = botocore.session.get_session().get_service_model(service)
    names = model.operation_names
    return tuple(name for name in names if not model.operation_model(name).deprecated)


def _ours() -> Iterator[Operation]:
    for service in registry.OURS:
        for name, about in service.about().items():
            yield Operation(service=service.name, name=name, ours=True, about=about)


def _passed() -> Iterator[Operation]:
    own = {one.name: one.operations() for one in registry.OURS}
    for service, names in _lists():
        for name in frozenset(names) - own.get(service, frozenset()):
            yield Operation(service=service, name=name, ours=False)


def _lists() -> Iterator[tuple[str, Iterable[str]]]:
    for service in registry.OURS:
        yield service.name, service.passes
    yield from PASSED.items()
