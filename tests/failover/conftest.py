"""Fixtures of the failover domain: one stage of servers per session, a world per test."""

from collections.abc import Iterator

import pytest

from tests.fakes import failover_world
from tests.fakes.failover_world import Stage, World


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """DNS, load balancers and two clusters' APIs on loopback."""
    with failover_world.stage(tmp_path_factory.mktemp("stage")) as servers:
        yield servers


@pytest.fixture
def world(stage: Stage) -> World:
    """Seoul serves, Tokyo stands by."""
    return World(stage)
