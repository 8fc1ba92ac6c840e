"""Tests of how often an operation of CloudFormation is looked at while it runs."""

import itertools

from platform_pipelines.aws import cloudformation
from tests.provisioning.world import World


def _pauses(world: World, seconds: float) -> list[float]:
    """The pauses between the looks at an operation that takes so long."""
    looks: list[float] = []

    def ended() -> bool:
        looks.append(world.clock.monotonic())
        return looks[-1] - looks[0] >= seconds

    tokyo = world.regions["tokyo"]
    cloudformation.follow(tokyo, "gone", None, lambda _: None, world.clock, world.stop, ended)
    return [after - before for before, after in itertools.pairwise(looks)]


def test_a_short_operation_is_looked_at_every_five_seconds() -> None:
    """Most stacks take seconds, and what depends on them waits for the look."""
    assert _pauses(World(), 60) == [5.0] * 12


def test_a_long_operation_is_looked_at_less_often_the_longer_it_takes() -> None:
    """No look comes later than a twentieth of what the operation takes, or 15 s, whichever is less:
    an EKS cluster takes minutes, and the events of a stack are throttled for the whole account."""
    pauses = _pauses(World(), 1000)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (5.0, 15.0)
    assert all(pause <= max(5.0, 0.051 * sum(pauses[:n])) for n, pause in enumerate(pauses))
    assert len(pauses) < 1000 / 5 / 2
