"""The clock of local Regions whose time stands still: whoever waits moves it, when all others wait too.

Each thread that takes part is either at work or waits until some time. Once all of them wait, the
clock goes on to the earliest of these times, and those who waited for it are at work again before
anyone else can move it. So a failover of many minutes takes seconds, with the same RTO in each run.

Threads take part while they are in `gather`, in `beating` or in `taking_part`; one that only sleeps
takes part while it sleeps. One process drives a virtual clock; others may read it. Whoever sleeps
with a lock that a thread at work wants stops time for ever.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, TypeVar
from urllib.parse import urlsplit

from platform_pipelines.clock import FORMS, VARIABLE, Stopped
from platform_pipelines.errors import InvalidEnvironment
from platform_pipelines.remote_time import Remote

T = TypeVar("T")

LOOPBACK = ("127.0.0.1", "localhost")
LOOK = 0.05  # real seconds between two looks at a stop event, which nobody announces


@dataclass(eq=False)
class _Sleeper:
    until: float
    stop: threading.Event | None

    @property
    def stopped(self) -> bool:
        return self.stop is not None and self.stop.is_set()


@dataclass(eq=False)
class _Team:
    """Threads that another one waits for: the last to end gives its turn to who waits."""

    members: int
    waited_for: bool = False


@dataclass(eq=False)
class Turns:
    """Who is at work and who waits, in one process on one virtual clock."""

    remote: Remote
    _turn: threading.Condition = field(default_factory=threading.Condition)
    _working: int = 0
    _sleepers: set[_Sleeper] = field(default_factory=set)

    def begin(self) -> None:
        """A thread is at work from now on."""
        with self._turn:
            self._working += 1

    def end(self) -> None:
        """A thread is done."""
        with self._turn:
            self._working -= 1
            self._turn.notify_all()

    def send(self, count: int) -> _Team:
        """So many threads are at work from now on, even before they have begun."""
        with self._turn:
            self._working += count
        return _Team(count)

    def leave(self, team: _Team) -> None:
        """A thread of a team is done."""
        with self._turn:
            team.members -= 1
            if team.members or not team.waited_for:
                self._working -= 1
                self._turn.notify_all()

    def wait_for(self, team: _Team) -> None:
        """This thread, which was at work, is not until the team has ended; then it is again, with
        no moment in between in which time could be moved."""
        with self._turn:
            if team.members:
                team.waited_for = True
                self._working -= 1
            self._turn.notify_all()

    def sleep(self, until: float, stop: threading.Event | None, *, counted: bool) -> None:
        """Wait until a time. Raises: Stopped, ClockUnreachable."""
        me = _Sleeper(until, stop)
        with self._turn:
            self._sleepers.add(me)
            self._working -= counted
            self._turn.notify_all()
            try:
                self._sleep(me)
            finally:
                self._wake(me)
                self._working -= not counted  # it was at work only for the moment of waking up
                self._turn.notify_all()
        if me.stopped:
            raise Stopped

    def look(self) -> None:
        """Have everybody look at their stop events now."""
        with self._turn:
            self._turn.notify_all()

    def _sleep(self, me: _Sleeper) -> None:
        while me in self._sleepers and not me.stopped:
            if self._working == 0 and not any(one.stopped for one in self._sleepers):
                self._move_on()
            else:
                self._turn.wait(LOOK)

    def _wake(self, one: _Sleeper) -> None:
        if one in self._sleepers:
            self._sleepers.discard(one)
            self._working += 1

    def _move_on(self) -> None:
        now = self.remote.move(min(one.until for one in self._sleepers))
        for one in [one for one in self._sleepers if one.until <= now]:
            self._wake(one)
        self._turn.notify_all()


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """A `Clock` that moves the time of local Regions."""

    turns: Turns
    _of: ClassVar[dict[str, Turns]] = {}
    _part: ClassVar[threading.local] = threading.local()

    @classmethod
    def of(cls, url: str) -> "VirtualClock":
        """This process's clock of the local Regions at `url`. Raises: InvalidEnvironment."""
        if urlsplit(url).hostname not in LOOPBACK or urlsplit(url).scheme != "http":
            raise InvalidEnvironment(VARIABLE, f"virtual:{url}", FORMS)
        return cls(cls._of.setdefault(url, Turns(Remote(url))))

    @property
    def speed(self) -> float:
        return 1.0

    def now(self) -> datetime:
        """Raises: ClockUnreachable."""
        return datetime.fromtimestamp(self.turns.remote.now(), UTC)

    def monotonic(self) -> float:
        return self.turns.remote.now()

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        until = self.turns.remote.now() + max(0.0, seconds)
        self.turns.sleep(until, stop, counted=self._takes_part)

    def gather(
        self, calls: Sequence[Callable[[], T]], stop: threading.Event | None = None
    ) -> list[T]:
        """As `Clock.gather`; each call takes part, the caller does not until all have ended."""
        if not calls:
            return []
        team = self.turns.send(len(calls))
        with ThreadPoolExecutor(max_workers=len(calls), thread_name_prefix="gather") as pool:
            futures = [pool.submit(self._as_member, team, call) for call in calls]
            self._wait_for(team)
            try:
                wait(futures)
            except BaseException:  # an interrupt of the run: its threads must not go on
                if stop:
                    stop.set()
                self.turns.look()
                wait(futures)
                raise
        return [future.result() for future in futures]

    def beating(self, every: float, beat: Callable[[], bool]) -> AbstractContextManager[None]:
        return self._beating(every, beat)

    @contextmanager
    def alongside(self, call: Callable[[], T]) -> Iterator[Future[T]]:
        """As `Clock.alongside`; the call takes part, who listens to it does not."""
        team = self.turns.send(1)
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="alongside") as pool:
            future = pool.submit(self._as_member, team, call)
            self._wait_for(team)
            yield future

    @contextmanager
    def taking_part(self) -> Iterator[None]:
        """While the context lasts, time stands still whenever this thread is at work."""
        if self._takes_part:
            yield
            return
        self.turns.begin()
        self._part.taken = True
        try:
            yield
        finally:
            self._part.taken = False
            self.turns.end()

    @contextmanager
    def _beating(self, every: float, beat: Callable[[], bool]) -> Iterator[None]:
        done = threading.Event()

        def run() -> None:
            try:
                while True:
                    self.sleep(every, done)
                    if not beat():
                        return
            except Stopped:
                return

        with self.taking_part():
            team = self.turns.send(1)
            thread = threading.Thread(target=self._as_member, args=(team, run), name="beat")
            thread.start()
            try:
                yield
            finally:
                done.set()
                self._wait_for(team)
                thread.join()

    @property
    def _takes_part(self) -> bool:
        return getattr(self._part, "taken", False)

    def _as_member(self, team: _Team, call: Callable[[], T]) -> T:
        """Run a call on a thread of its own, which takes part."""
        self._part.taken = True
        try:
            return call()
        finally:
            self._part.taken = False
            self.turns.leave(team)

    def _wait_for(self, team: _Team) -> None:
        if self._takes_part:
            self.turns.wait_for(team)
        else:
            self.turns.look()
