"""Time as a value: every wait and every parallel call of the product goes through a `Clock`.

`RealClock` is wall time. `ScaledClock` is the time of local Regions that run faster than the world:
now = origin + (real - origin) * speed. The virtual clock of `virtual_clock` drives local Regions whose
time stands still. Durations are always AWS-like seconds. A wait ends early when the run's stop event
is set; whoever waits then gets `Stopped`.
"""

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar

from platform_pipelines.errors import InvalidEnvironment, PlatformError

T = TypeVar("T")

VARIABLE = "PLATFORM_CLOCK"
FORMS = "'real', 'scaled:<speed>:<unix origin>' or 'virtual:<url of the local Regions>'"


class Stopped(PlatformError):
    """The run was asked to stop; nothing more may be changed."""

    def __str__(self) -> str:
        return "The run was asked to stop and changed nothing more; start it again to go on."


class Clock(Protocol):
    """What the product knows of time."""

    @property
    def speed(self) -> float:
        """AWS-like seconds per real second."""

    def now(self) -> datetime:
        """The time in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow, at the clock's speed."""

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        """Wait `seconds`. Raises: Stopped, as soon as `stop` is set."""

    def gather(
        self, calls: Sequence[Callable[[], T]], stop: threading.Event | None = None
    ) -> list[T]:
        """Run `calls` in parallel and return their results in order; the first error is raised
        after all have ended. If the caller is interrupted, `stop` is set before they are joined."""

    def beating(self, every: float, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        """While the context lasts, call `beat` every so many seconds, until it says False."""

    def alongside(self, call: Callable[[], T]) -> AbstractContextManager[Future[T]]:
        """Run `call` in a thread of its own, to whom the caller only listens; the context ends when
        the call has."""


@contextmanager
def _beating(clock: Clock, every: float, beat: Callable[[], bool]) -> Iterator[None]:
    done = threading.Event()

    def run() -> None:
        try:
            while True:
                clock.sleep(every, done)
                if not beat():
                    return
        except Stopped:
            return

    thread = threading.Thread(target=run, name="beat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


@contextmanager
def alongside(call: Callable[[], T]) -> Iterator[Future[T]]:
    """`Clock.alongside` where time needs nobody to move it."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="alongside") as pool:
        yield pool.submit(call)


def _gather(calls: Sequence[Callable[[], T]], stop: threading.Event | None) -> list[T]:
    if not calls:
        return []
    with ThreadPoolExecutor(max_workers=min(len(calls), 16), thread_name_prefix="gather") as pool:
        futures = [pool.submit(call) for call in calls]
        try:
            wait(futures)
        except BaseException:  # an interrupt of the run: its threads must not go on changing AWS
            if stop:
                stop.set()
            raise
    return [future.result() for future in futures]


@dataclass(frozen=True, slots=True)
class RealClock:
    """Wall time."""

    @property
    def speed(self) -> float:
        return 1.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        if (stop or threading.Event()).wait(max(0.0, seconds)):
            raise Stopped

    def gather(
        self, calls: Sequence[Callable[[], T]], stop: threading.Event | None = None
    ) -> list[T]:
        return _gather(calls, stop)

    def beating(self, every: float, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        return _beating(self, every, beat)

    def alongside(self, call: Callable[[], T]) -> AbstractContextManager[Future[T]]:
        return alongside(call)


@dataclass(frozen=True, slots=True)
class ScaledClock:
    """Time that runs `speed` times as fast as the world since `origin` (Unix seconds)."""

    speed: float
    origin: float

    def at(self, real: float) -> float:
        """The AWS-like Unix time at the real Unix time `real`."""
        return self.origin + (real - self.origin) * self.speed

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at(time.time()), UTC)

    def monotonic(self) -> float:
        return time.monotonic() * self.speed

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        if (stop or threading.Event()).wait(max(0.0, seconds / self.speed)):
            raise Stopped

    def gather(
        self, calls: Sequence[Callable[[], T]], stop: threading.Event | None = None
    ) -> list[T]:
        return _gather(calls, stop)

    def beating(self, every: float, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        return _beating(self, every, beat)

    def alongside(self, call: Callable[[], T]) -> AbstractContextManager[Future[T]]:
        return alongside(call)


def parse(text: str) -> Clock:
    """The clock that a `PLATFORM_CLOCK` value names. Raises: InvalidEnvironment."""
    if text == "real":
        return RealClock()
    match text.split(":"):
        case ["virtual", "http", *rest] if rest:
            from platform_pipelines.virtual_clock import VirtualClock  # only rehearsals pay for it

            return VirtualClock.of(text.removeprefix("virtual:"))
        case ["scaled", speed, origin]:
            try:
                clock = ScaledClock(float(speed), float(origin))
            except ValueError:
                raise InvalidEnvironment(VARIABLE, text, FORMS) from None
            if 0 < clock.speed <= 1000 and math.isfinite(clock.origin):
                return clock
    raise InvalidEnvironment(VARIABLE, text, FORMS)


def from_environment(environ: Mapping[str, str] = os.environ) -> Clock:
    """The clock of this process; real time when `PLATFORM_CLOCK` is not set."""
    return parse(environ.get(VARIABLE, "real"))


def seconds(delta: timedelta) -> float:
    """A duration as seconds, for metadata and reports."""
    return round(delta.total_seconds(), 3)
