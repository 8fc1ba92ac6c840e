"""Virtual time with several threads, on a server of one process's own and on the local Regions."""

import threading
from collections.abc import Callable

import pytest

from platform_pipelines import clock as clocks
from platform_pipelines.clock import Stopped
from platform_pipelines.errors import InvalidEnvironment
from platform_pipelines.remote_time import ClockUnreachable, Remote
from platform_pipelines.virtual_clock import Turns, VirtualClock
from tests.local_world import LocalWorld

START = 1_800_000_000.0


class Wall(Remote):
    """A time that is kept here, with every move that was asked of it."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.moment = START
        self.moves: list[float] = []

    def now(self) -> float:
        return self.moment

    def move(self, to: float) -> float:
        self.moment = max(self.moment, to)
        self.moves.append(to - START)
        return self.moment


@pytest.fixture
def wall() -> Wall:
    """A wall clock that stands still."""
    return Wall()


@pytest.fixture
def clock(wall: Wall) -> VirtualClock:
    """The clock of a process that drives it."""
    return VirtualClock(Turns(wall))


def test_a_sleeper_alone_moves_time_by_what_it_waits_for(clock: VirtualClock, wall: Wall) -> None:
    """No real time passes."""
    clock.sleep(3600)
    clock.sleep(0.5)
    assert wall.moves == [3600, 3600.5]


def test_time_goes_to_the_earliest_of_all_who_wait(clock: VirtualClock, wall: Wall) -> None:
    """Each wakes at its own time, in order of time, whatever the order of their start."""
    woken: list[tuple[float, float]] = []

    def sleeper(seconds: float) -> Callable[[], None]:
        def run() -> None:
            clock.sleep(seconds)
            woken.append((seconds, wall.moment - START))

        return run

    clock.gather([sleeper(one) for one in (30, 10, 20, 10)])
    assert woken == [(10, 10), (10, 10), (20, 20), (30, 30)]


def test_time_stands_still_while_anyone_is_at_work(clock: VirtualClock, wall: Wall) -> None:
    """A call that takes real time costs none of the others' time."""
    working, release = threading.Event(), threading.Event()
    seen: list[float] = []

    def work() -> None:
        working.set()
        assert release.wait(10)
        seen.append(wall.moment - START)

    def wait() -> None:
        assert working.wait(10)
        threading.Timer(0.1, release.set).start()
        clock.sleep(60)

    clock.gather([work, wait])
    assert seen == [0]
    assert wall.moment == START + 60


def test_a_beat_runs_at_its_times_while_its_owner_works_through_others(
    clock: VirtualClock, wall: Wall
) -> None:
    """The beat of a lease keeps exact time beside parallel work, in each of many runs."""
    for _ in range(50):
        wall.moment, beats = START, list[float]()

        def beat(beats: list[float] = beats) -> bool:
            beats.append(wall.moment - START)
            return True

        with clock.beating(10, beat):
            clock.gather([lambda: clock.sleep(25), lambda: clock.sleep(12)])
            clock.sleep(10)
        assert beats == [10, 20, 30]
        assert wall.moment == START + 35


def test_gathers_within_gathers_lose_no_moment(clock: VirtualClock, wall: Wall) -> None:
    """The one who waits for others is at work again before time can move."""
    for _ in range(50):
        wall.moment, seen = START, list[float]()

        def inner(seen: list[float] = seen) -> None:
            clock.gather([lambda: clock.sleep(1), lambda: clock.sleep(2)])
            seen.append(wall.moment - START)
            clock.sleep(3)

        clock.gather([inner, inner, lambda: clock.sleep(100)])
        assert seen == [2, 2]
        assert wall.moment == START + 100


def test_more_calls_than_a_pool_has_threads_do_not_wait_for_each_other(clock: VirtualClock) -> None:
    """Each call takes part at once."""
    clock.gather([lambda: clock.sleep(5)] * 40)


def test_a_stop_wakes_the_sleeper_and_no_time_passes(clock: VirtualClock, wall: Wall) -> None:
    """Somebody else's stop event ends a wait; the one who set it is at work."""
    stop = threading.Event()

    def stopped() -> None:
        with pytest.raises(Stopped):
            clock.sleep(1000, stop)

    def stopper() -> None:
        stop.set()

    clock.gather([stopped, stopper])
    assert wall.moment == START


def test_an_error_of_one_call_ends_nobody_else(clock: VirtualClock, wall: Wall) -> None:
    """As with the other clocks: the first error, after all have ended."""

    def broken() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        clock.gather([broken, lambda: clock.sleep(7)])
    assert wall.moment == START + 7


def test_threads_that_take_part_by_themselves_hold_time(clock: VirtualClock, wall: Wall) -> None:
    """A thread at work in `taking_part` is waited for."""
    with clock.taking_part():
        clock.sleep(1)
        sleeper = threading.Thread(target=clock.sleep, args=(5,))
        sleeper.start()
        sleeper.join(0.2)
        assert wall.moment == START + 1
    sleeper.join(5)
    assert wall.moment == START + 6


def test_a_variable_names_the_local_regions_that_keep_the_time() -> None:
    """One clock a process for each of them."""
    clock = clocks.parse("virtual:http://127.0.0.1:4566")
    assert isinstance(clock, VirtualClock)
    assert clock == clocks.parse("virtual:http://127.0.0.1:4566")
    assert clock.speed == 1


@pytest.mark.parametrize(
    "text", ["virtual", "virtual:", "virtual:ftp://x", "virtual:http://aws.com"]
)
def test_what_keeps_no_time_here_is_refused(text: str) -> None:
    """Loopback only, in one clear error."""
    with pytest.raises(InvalidEnvironment, match="PLATFORM_CLOCK"):
        clocks.parse(text)


def test_a_clock_that_does_not_answer_is_one_clear_error() -> None:
    """Where, what, what to do next."""
    with pytest.raises(ClockUnreachable, match="--clock virtual"):
        VirtualClock(Turns(Remote("http://127.0.0.1:9"))).now()


def test_a_clock_that_runs_by_itself_is_one_clear_error(local_regions: LocalWorld) -> None:
    """In the local Regions' own words, and with what to do."""
    clock = VirtualClock(Turns(Remote(local_regions.url)))
    with pytest.raises(ClockUnreachable, match="runs by itself"):
        clock.sleep(5)


def test_the_local_regions_keep_the_time(start_regions: Callable[..., LocalWorld]) -> None:
    """What is due on the way happens at its own time; running time cannot be moved."""
    world = start_regions(virtual=True)
    clock = clocks.parse(world.ready["clock"])
    before = clock.now()
    clock.sleep(90.5)
    assert (clock.now() - before).total_seconds() == pytest.approx(90.5, abs=1e-3)
    assert world.control.clock().virtual
