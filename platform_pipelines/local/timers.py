"""What happens later in the local Regions: transitions as data, due at an AWS-like time.

A timer is a kind and plain arguments, never a closure, so that it can be stored and restored with
the rest of the world. Services register one handler per kind and schedule with `after`.
"""

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.clock import ScaledClock

Handler = Callable[..., None]


@dataclass(order=True, frozen=True, slots=True)
class Timer:
    """One thing to come. Ordered by its time, then by when it was scheduled."""

    due: float  # AWS-like Unix seconds
    number: int
    kind: str = field(compare=False)
    args: dict[str, Any] = field(compare=False, default_factory=dict)


class Timers:
    """The pending transitions of one world. Used from the event loop's thread only."""

    def __init__(self, now: Callable[[], float], clock: ScaledClock) -> None:
        self._now = now
        self._clock = clock
        self._heap: list[Timer] = []
        self._handlers: dict[str, Handler] = {}
        self._numbers = itertools.count()
        self._changed = asyncio.Event()

    def on(self, kind: str, handler: Handler) -> None:
        """Call `handler(**args)` when a timer of this kind is due."""
        self._handlers[kind] = handler

    def after(self, seconds: float, kind: str, **args: Any) -> None:
        """Schedule a timer, `seconds` AWS-like seconds from now. `args` are JSON values."""
        if kind not in self._handlers:
            raise KeyError(f"no handler for timer {kind!r}")
        heapq.heappush(self._heap, Timer(self._now() + seconds, next(self._numbers), kind, args))
        self._changed.set()

    def cancel(self, kind: str, **args: Any) -> None:
        """Forget the pending timers of this kind whose arguments include `args`."""
        self._heap = [
            timer
            for timer in self._heap
            if timer.kind != kind or any(timer.args.get(key) != args[key] for key in args)
        ]
        heapq.heapify(self._heap)

    def pending(self, kind: str, **args: Any) -> bool:
        """Whether a timer of this kind with these arguments is to come."""
        return any(
            timer.kind == kind and all(timer.args.get(key) == args[key] for key in args)
            for timer in self._heap
        )

    def run_due(self) -> None:
        """Run everything that is due, in order of time."""
        while self._heap and self._heap[0].due <= self._now():
            timer = heapq.heappop(self._heap)
            self._handlers[timer.kind](**timer.args)

    async def run(self) -> None:
        """Run timers as they come due, for ever."""
        while True:
            self.run_due()
            self._changed.clear()
            wait = (self._heap[0].due - self._now()) / self._clock.speed if self._heap else None
            try:
                await asyncio.wait_for(self._changed.wait(), wait)
            except TimeoutError:
                continue
