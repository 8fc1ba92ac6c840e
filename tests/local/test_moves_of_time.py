"""Moves of a world's time: what was due is done once, and no restore falls into the middle of one."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines import model
from platform_pipelines.local import control_world
from platform_pipelines.local.controls import Controls
from platform_pipelines.local.timers import BREATH, Timers
from platform_pipelines.local.world import Ports, World
from platform_pipelines.local.worldclock import Standing
from tests.local_world import PLATFORM

START = 1_800_000_000.0
FAR = 3600.0


def test_a_restore_waits_for_a_move_of_time_that_is_under_way(tmp_path: Path) -> None:
    """Else the rest of the move would happen to the world of before."""
    clock = Standing(START)
    world = World(
        platform=model.load(PLATFORM),
        state=tmp_path,
        ports=Ports(kube={"seoul": 1, "tokyo": 2}),
        clock=clock,
    )
    world.timers.on("tick", lambda: None)
    parts: Any = {"log": None, "gate": None, "ask": None, "resolve": None, "healthy": None}
    controls = Controls(world=world, **parts)

    async def story() -> None:
        world.vault.open()
        world.vault.snapshot("built")
        for second in range(3 * BREATH):
            world.timers.after(second, "tick")
        move = asyncio.create_task(world.timers.advance(clock, lambda _: START + FAR))
        await asyncio.sleep(0)
        assert not move.done()
        await control_world.restore(controls, {}, {"name": "built"}, {})
        assert move.done()

    asyncio.run(story())
    assert world.now() == START
    assert not world.timers.pending("tick")


def test_what_a_broken_handler_had_to_do_is_not_forgotten() -> None:
    """The server ends by it, and the next one has it still to do."""
    clock = Standing(START)
    timers = Timers(clock)
    broken = [True]

    def handler() -> None:
        if broken:
            raise ArithmeticError(broken.pop())

    timers.on("odd", handler)
    timers.after(5, "odd")
    with pytest.raises(ArithmeticError):
        list(timers.passing(clock, START + FAR))
    assert timers.pending("odd")
    list(timers.passing(clock, START + FAR))
    assert not timers.pending("odd")
