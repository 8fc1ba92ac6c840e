"""Time that a test moves by hand, in a world that no server runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from platform_pipelines.local.aws import cloudwatch, health_checks
from platform_pipelines.local.world import World
from platform_pipelines.local.worldclock import Standing

DAY = 86_400.0
RHYTHMS = (cloudwatch.OBSERVED, health_checks.LOOK)


def let_pass(world: World, seconds: float) -> None:
    """Move AWS-like time, and run what is due on the way, each at its own time. While days pass,
    what looks every few seconds and remembers minutes looks in their last hour only."""
    clock = world.clock
    assert isinstance(clock, Standing)
    end = clock.now() + seconds
    if seconds >= DAY:
        with _without_rhythms(world):
            _move(world, clock, end - 3600)
    _move(world, clock, end)


def _move(world: World, clock: Standing, to: float) -> None:
    for _ in world.timers.passing(clock, to):
        pass


@contextmanager
def _without_rhythms(world: World) -> Iterator[None]:
    paused = [kind for kind in RHYTHMS if world.timers.pending(kind)]
    for kind in paused:
        world.timers.cancel(kind)
    yield
    for kind in paused:
        world.timers.every(0, kind)
