import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from platform_pipelines import clock as clocks
from platform_pipelines.clock import Clock, RealClock, ScaledClock, Stopped
from platform_pipelines.errors import InvalidEnvironment

FAST = ScaledClock(speed=1000.0, origin=time.time())


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("real", RealClock()),
        ("scaled:20:1700000000", ScaledClock(20.0, 1700000000.0)),
        ("scaled:0.5:0", ScaledClock(0.5, 0.0)),
        ("scaled:1000:1.5", ScaledClock(1000.0, 1.5)),
    ],
)
def test_a_clock_by_its_name(text: str, clock: Clock) -> None:
    """As PLATFORM_CLOCK gives it."""
    assert clocks.parse(text) == clock
    assert clocks.from_environment({"PLATFORM_CLOCK": text}) == clock


@pytest.mark.parametrize(
    "text",
    [
        *("", "fast", "scaled", "scaled:20", "scaled:x:0", "scaled:0:0", "scaled:-1:0"),
        *("scaled:nan:0", "scaled:1001:0", "scaled:20:0:0", "scaled:20:inf"),
    ],
)
def test_no_clock_by_that_name(text: str) -> None:
    """The forms that there are are named."""
    with pytest.raises(
        InvalidEnvironment, match=r"'real', 'scaled:<speed>:<unix origin>' or 'virtual:"
    ):
        clocks.parse(text)


def test_time_is_real_without_a_name() -> None:
    """In UTC."""
    assert clocks.from_environment({}) == RealClock()
    assert abs(RealClock().now() - datetime.now(UTC)) < timedelta(seconds=5)
    assert RealClock().speed == 1.0


def test_scaled_time_is_the_same_function_in_every_process() -> None:
    """now = origin + (real - origin) * speed."""
    clock = ScaledClock(20.0, 1_000_000.0)
    assert clock.at(1_000_000.0) == 1_000_000.0
    assert clock.at(1_000_003.0) == 1_000_060.0
    assert clock.at(999_999.0) == 999_980.0


def test_a_scaled_sleep_takes_scaled_time() -> None:
    """Ten of its seconds are ten milliseconds at a thousand times."""
    real, scaled = time.monotonic(), FAST.monotonic()
    FAST.sleep(10)
    assert FAST.monotonic() - scaled >= 10
    assert time.monotonic() - real < 5


@pytest.mark.parametrize("clock", [RealClock(), FAST])
def test_a_wait_ends_when_the_run_is_stopped(clock: Clock) -> None:
    """At once, and whoever waits is told."""
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped, match="changed nothing more"):
        clock.sleep(1_000_000, stop)


@pytest.mark.parametrize("clock", [RealClock(), FAST])
def test_a_stop_from_another_thread_ends_a_wait(clock: Clock) -> None:
    """The wait is long, the stop comes in its middle."""
    stop = threading.Event()
    waits = threading.Event()

    def wait() -> str:
        waits.set()
        try:
            clock.sleep(1_000_000, stop)
        except Stopped:
            return "stopped"
        return "slept"

    def end() -> str:
        waits.wait()
        stop.set()
        return "ended"

    assert clock.gather([wait, end]) == ["stopped", "ended"]


@pytest.mark.parametrize("clock", [RealClock(), FAST])
def test_gathered_calls_run_at_the_same_time(clock: Clock) -> None:
    """Each waits for the others; results come in the order of the calls."""
    barrier = threading.Barrier(3, timeout=10)

    def call(number: int) -> int:
        barrier.wait()
        return number

    assert clock.gather([partial(call, n) for n in range(3)]) == [0, 1, 2]
    assert clock.gather([]) == []


@pytest.mark.parametrize("clock", [RealClock(), FAST])
def test_the_first_error_is_raised_after_all_have_ended(clock: Clock) -> None:
    """Nobody's work is left behind."""
    ended = []

    def fails() -> None:
        raise ValueError("first")

    def works() -> None:
        clock.sleep(0.01)
        ended.append(True)

    with pytest.raises(ValueError, match="first"):
        clock.gather([fails, works, works])
    assert ended == [True, True]


def test_a_beat_goes_on_until_it_says_no() -> None:
    """And never after its context."""
    beats: list[int] = []
    enough = threading.Event()

    def beat() -> bool:
        beats.append(1)
        if len(beats) == 3:
            enough.set()
        return len(beats) < 3

    with FAST.beating(1, beat):
        assert enough.wait(10)
    assert len(beats) == 3
    with FAST.beating(1_000_000, beat):
        pass
    assert len(beats) == 3


def test_seconds_of_a_duration() -> None:
    """To the millisecond."""
    assert clocks.seconds(timedelta(minutes=1, microseconds=1600)) == 60.002
