import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from platform_pipelines.clock import Stopped
from platform_pipelines.failover import heartbeat
from tests.fakes.clock import FakeClock
from tests.fakes.failover_world import World

ROOT = Path(__file__).parents[2]


class _Until(FakeClock):
    """A clock that ends a loop at a moment."""

    def __init__(self, end: float, stop: threading.Event) -> None:
        super().__init__()
        self.end, self.stop = end, stop

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        super().sleep(seconds)
        if self.monotonic() >= self.end:
            self.stop.set()
        if stop is not None and stop.is_set():
            raise Stopped


def _beat(world: World, seconds: float) -> None:
    stop = threading.Event()
    clock = _Until(seconds, stop)
    heartbeat.beat_for_ever(world.ledger("seoul"), "seoul", clock, stop)


def test_it_beats_every_ten_seconds(world: World) -> None:
    """Through its own Region's endpoint only."""
    _beat(world, 60)
    beat = world.ledger().heartbeat("seoul")
    assert beat is not None
    assert beat.counter == 6
    assert world.calls("UpdateItem") == ["seoul"] * 6


def test_it_writes_nothing_before_the_ledger_is_made(world: World) -> None:
    """A table that is not empty cannot become strongly consistent."""
    world.items.by_key.clear()
    _beat(world, 60)
    assert world.calls("UpdateItem") == []
    assert world.items.by_key == {}


def test_an_outage_silences_it_and_it_comes_back(world: World) -> None:
    """It goes on after any error, because a Region that comes back must be heard."""
    tries: list[str] = []

    def look(_alias: str, operation: str) -> None:
        tries.append(operation)
        world.wires["seoul"].dark = len(tries) >= 3  # the first call asks whether there is a ledger

    world.wires["seoul"].on_call = look
    _beat(world, 20)
    silent = world.ledger().heartbeat("seoul")
    assert silent is not None
    assert silent.counter == 2
    world.wires["seoul"].dark, world.wires["seoul"].on_call = False, None
    _beat(world, 20)
    again = world.ledger().heartbeat("seoul")
    assert again is not None
    assert again.counter > 2


def _environment(**changes: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PLATFORM_")}
    return {**kept, "PLATFORM_FILE": str(ROOT / "platform.yaml"), **changes}


@pytest.mark.parametrize(
    ("arguments", "environment", "text"),
    [
        (["--region", "osaka"], {"PLATFORM_TARGET": "local"}, "There is no Region 'osaka'"),
        (["--region", "seoul"], {}, "PLATFORM_TARGET is not set"),
        (["--region", "seoul"], {"PLATFORM_FILE": "/none.yaml"}, "there is no such file"),
    ],
)
def test_a_wrong_start_is_one_text_and_status_two(
    arguments: list[str], environment: dict[str, str], text: str
) -> None:
    """Whoever starts it reads what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "platform_pipelines.failover.heartbeat", *arguments],
        cwd=ROOT,
        env=_environment(**environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_sigterm_ends_it(tmp_path: Path) -> None:
    """Also while nobody answers; it says that it has started first."""
    environment = _environment(PLATFORM_TARGET="local", PLATFORM_LOCAL_URL="http://127.0.0.1:9")
    with subprocess.Popen(
        [sys.executable, "-m", "platform_pipelines.failover.heartbeat", "--region", "seoul"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == '{"beating": "seoul"}\n'
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
