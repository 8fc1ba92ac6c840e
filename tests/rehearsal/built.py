"""The platform, built by the product once for all tests of a session; each module begins with that.

Building takes most of a minute of wall time, going back to it a moment. The calls that built it are
kept for the tests of permissions.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from platform_pipelines.local import calls
from tests import local_world
from tests.local_world import LocalWorld
from tests.permissions import Recorder
from tests.rehearsal.virtual import Rehearsal, acting_on

SNAPSHOT = "built"


@contextmanager
def watching(
    world: LocalWorld, folder: Path, doing: str = ""
) -> Iterator[tuple[Rehearsal, Recorder]]:
    """The product on a world, while all its calls are noted with the job that makes them; `doing`:
    what is done outside of jobs."""
    with Recorder(doing=doing).listening() as recorder, acting_on(world, folder) as made:
        made.during = recorder.during
        yield made, recorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A world with the platform in it: ready in both Regions, with Seoul active."""

    world: LocalWorld
    recorder: Recorder  # of what built it
    log: list[str]  # of the local Regions, when it was built

    def again(self) -> LocalWorld:
        """The world as it was built, whatever was done since."""
        self.world.control.restore_snapshot(SNAPSHOT)
        return self.world


@contextmanager
def built(folder: Path) -> Iterator[Built]:
    """Build the platform, as a user would; every transition takes its usual time."""
    with local_world.start(folder / "local", virtual=True) as world:
        with watching(world, folder) as (made, recorder):
            made.build()
        world.control.take_snapshot(SNAPSHOT)
        yield Built(world=world, recorder=recorder, log=log(world))


def log(world: LocalWorld) -> list[str]:
    """The lines of the local Regions' log of calls."""
    return (world.state / calls.FILE).read_text().splitlines()
