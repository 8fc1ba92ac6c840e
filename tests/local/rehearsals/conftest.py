"""One platform for all rehearsals of a session; each begins with the same snapshot of it."""

from collections.abc import Iterator

import pytest

from tests import local_world
from tests.local.rehearsals.building import SHORTER, build
from tests.local.rehearsals.rehearsal import Rehearsal

BUILT = "built"


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """A world whose time stands still, with the platform in both Regions."""
    folder = tmp_path_factory.mktemp("rehearsals")
    with local_world.start(folder, virtual=True, durations=SHORTER) as world:
        rehearsal = Rehearsal(world=world, places=build(world))
        world.control.take_snapshot(BUILT)
        yield rehearsal
        world.process.kill()  # nobody needs it any more


@pytest.fixture
def stage(platform: Rehearsal) -> Rehearsal:
    """The platform as it was built: nothing is broken, nothing is under way."""
    platform.world.control.restore_snapshot(BUILT)
    platform.began = platform.world.control.clock().unix
    return platform
