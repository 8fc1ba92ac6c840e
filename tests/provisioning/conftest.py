"""One local world for all modules that need every stack applied."""

from collections.abc import Iterator

import pytest

from tests import local_world
from tests.local_world import LocalWorld
from tests.provisioning.built import Built

APPLIED = "applied"


@pytest.fixture(scope="package")
def _applied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    with local_world.start(tmp_path_factory.mktemp("provisioning"), speed=200) as world:
        ended = Built(world).apply()
        assert {key: one.reason for key, one in ended.items() if not one.ending.good} == {}
        world.control.take_snapshot(APPLIED)
        yield world


@pytest.fixture(scope="module")
def built(_applied: LocalWorld) -> Built:
    """Every stack was applied just now; the tests of a module follow one another, as the acts of a
    user do."""
    _applied.control.restore_snapshot(APPLIED)
    return Built(_applied)
