"""A virtual clock: it moves to the earliest deadline when everybody who takes part waits.

`gather` runs its calls in real threads, so races are real, but no test ever waits for real time.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from platform_pipelines.clock import Stopped, alongside

T = TypeVar("T")
Beat = list[Any]  # when it is due, how often, what to call
ORIGIN = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


class FakeClock:
    """The product's `Clock`, without waiting."""

    speed = 1.0

    def __init__(self) -> None:
        self._time = 0.0
        self._running = 1  # the test's own thread
        self._waiting: dict[object, float] = {}  # who sleeps, until when
        self._changed = threading.Condition()
        self._beats: list[Beat] = []

    def now(self) -> datetime:
        return ORIGIN + timedelta(seconds=self._time)

    def monotonic(self) -> float:
        return self._time

    def advance(self, seconds: float) -> None:
        """Let time pass between two acts of a test."""
        self.sleep(seconds)

    def sleep(self, seconds: float, stop: threading.Event | None = None) -> None:
        if stop is not None and stop.is_set():
            raise Stopped
        sleeper = object()
        with self._changed:
            self._waiting[sleeper] = self._time + max(0.0, seconds)
            self._rest()
            self._changed.wait_for(lambda: sleeper not in self._waiting)
        if stop is not None and stop.is_set():
            raise Stopped

    def gather(
        self,
        calls: Sequence[Callable[[], T]],
        stop: threading.Event | None = None,  # noqa: ARG002  # nobody interrupts a test's wait
    ) -> list[T]:
        if not calls:
            return []
        results: list[T | None] = [None] * len(calls)
        errors: dict[int, BaseException] = {}
        left = [len(calls)]

        def work(index: int) -> None:
            try:
                results[index] = calls[index]()
            except BaseException as error:  # noqa: BLE001  # a test may kill a thread with anything
                errors[index] = error
            with self._changed:
                left[0] -= 1
                if left[0]:  # the last one's place is taken by the caller, who goes on
                    self._rest()

        with self._changed:
            self._running += len(calls) - 1
        threads = [threading.Thread(target=work, args=(index,)) for index in range(len(calls))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[min(errors)]
        return results  # type: ignore[return-value]  # without errors every place is filled

    @contextmanager
    def beating(self, every: float, beat: Callable[[], bool]) -> Iterator[None]:
        entry: Beat = [self._time + every, every, beat]
        self._beats.append(entry)
        try:
            yield
        finally:
            if entry in self._beats:
                self._beats.remove(entry)

    def alongside(self, call: Callable[[], T]) -> AbstractContextManager[Future[T]]:
        """The caller only listens: its part in time is the call's."""
        return alongside(call)

    def _run_beats(self) -> None:
        """Whoever moves time does what was due in the background meanwhile."""
        for entry in list(self._beats):
            while entry[0] <= self._time:
                entry[0] += entry[1]
                if not entry[2]():
                    self._beats.remove(entry)
                    break

    def _rest(self) -> None:
        """One participant less runs; if none does, time moves on. Called under the lock."""
        self._running -= 1
        if self._running or not self._waiting:
            return
        self._time = max(self._time, min(self._waiting.values()))
        self._run_beats()
        for sleeper in [one for one, due in self._waiting.items() if due <= self._time]:
            del self._waiting[sleeper]
            self._running += 1
        self._changed.notify_all()
