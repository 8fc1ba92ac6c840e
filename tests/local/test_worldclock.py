"""The time of a world that goes on: never back, and the same for all who share it."""

import time

import pytest

from platform_pipelines.clock import ScaledClock, parse
from platform_pipelines.local.vault import WorldUnreadable
from platform_pipelines.local.worldclock import Running, Standing

AGO = 1000.0  # real seconds


def test_at_the_same_speed_the_origin_stays() -> None:
    """Processes that were told the clock once are right after a restart."""
    before = Running(20, time.time() - AGO)
    again = Running(20)
    again.load(before.dump())
    assert again.origin == before.origin
    assert parse(again.variable("http://127.0.0.1:1")) == ScaledClock(20, before.origin)


@pytest.mark.parametrize("speed", [2.0, 400.0])
def test_at_another_speed_time_goes_on_from_where_it_is(speed: float) -> None:
    """Slower or faster from now on."""
    before = Running(20, time.time() - AGO)
    again = Running(speed)
    again.load(before.dump())
    assert again.now() == pytest.approx(before.now(), abs=30)
    assert again.now() >= before.now() - 0.5 * speed


def test_a_world_ahead_of_real_time_cannot_go_on_in_real_time() -> None:
    """Time would turn back; the error says what to do."""
    with pytest.raises(WorldUnreadable, match="--reset"):
        Running(1).load(Running(20, time.time() - AGO).dump())


def test_standing_time_is_taken_as_it_was() -> None:
    """Also back, to a snapshot; whoever drives it asks each time."""
    clock = Standing(100.0)
    kept = clock.dump()
    clock.move(250.0)
    clock.move(200.0)
    assert clock.now() == 250.0
    clock.load(kept)
    assert clock.now() == 100.0
