"""What happens later in the local Regions: transitions as data, due at an AWS-like time.

A timer is a kind and plain arguments, never a closure, so that it is stored and restored with the
rest of the world. Services register one handler per kind and schedule with `after` or `every`.
"""

import asyncio
import heapq
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from platform_pipelines.local.worldclock import Standing, WorldClock

Handler = Callable[..., None]
BREATH = 200  # timers that run before the event loop may do something else, while time is moved


@dataclass(order=True, frozen=True, slots=True)
class Timer:
    """One thing to come. Ordered by its time, then by when it was scheduled."""

    due: float  # AWS-like Unix seconds
    number: int
    kind: str = field(compare=False)
    args: dict[str, Any] = field(compare=False, default_factory=dict)


class Timers:
    """The pending transitions of one world. Used from the event loop's thread only."""

    def __init__(self, clock: WorldClock, ran: Callable[[], None] = lambda: None) -> None:
        """`ran` is called after timers have run, so that what they did can be stored."""
        self._clock = clock
        self._ran = ran
        self._heap: list[Timer] = []
        self._handlers: dict[str, Handler] = {}
        self._number = 0
        self._changed = asyncio.Event()
        self.moving = asyncio.Lock()  # held while time is moved

    def on(self, kind: str, handler: Handler) -> None:
        """Call `handler(**args)` when a timer of this kind is due."""
        self._handlers[kind] = handler

    def after(self, seconds: float, kind: str, **args: Any) -> None:
        """Schedule a timer, `seconds` AWS-like seconds from now. `args` are JSON values."""
        if kind not in self._handlers:
            raise KeyError(f"no handler for timer {kind!r}")
        self._number += 1
        due = self._clock.now() + seconds
        heapq.heappush(self._heap, Timer(due, self._number, kind, args))
        self._changed.set()

    def every(self, seconds: float, kind: str, **args: Any) -> None:
        """Begin a rhythm, whose handler goes on with `after`; one that was stored goes on as it is."""
        if not self.pending(kind, **args):
            self.after(seconds, kind, **args)

    def handle(self, kind: str, **args: Any) -> None:
        """Do now what a timer of this kind does when it is due."""
        self._handlers[kind](**args)

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
        if self._due(self._clock.now()):
            while self._due(self._clock.now()):
                self._run_next()
            self._ran()

    def passing(self, clock: Standing, to: float) -> Iterator[Timer]:
        """Move time on to `to`, and run what is due on the way, each at its own time."""
        while self._due(to):
            clock.move(self._heap[0].due)
            yield self._run_next()
        clock.move(to)
        self._ran()

    async def advance(self, clock: Standing, until: Callable[[float], float]) -> None:
        """`passing` to a time that is counted from where time stands then, with time for the event
        loop in between; one at a time."""
        async with self.moving:
            for count, _ in enumerate(self.passing(clock, until(clock.now())), 1):
                if count % BREATH == 0:
                    await asyncio.sleep(0)

    async def run(self) -> None:
        """Run timers as they come due, for ever."""
        while True:
            self.run_due()
            self._changed.clear()
            try:
                await asyncio.wait_for(self._changed.wait(), self._wait())
            except TimeoutError:
                continue

    def dump(self) -> dict[str, Any]:
        """What is to come, as JSON values."""
        rows = [[one.due, one.number, one.kind, one.args] for one in sorted(self._heap)]
        return {"number": self._number, "timers": rows}

    def load(self, state: dict[str, Any]) -> None:
        """Put back what `dump` gave, in place of everything that is pending."""
        self._number = state["number"]
        self._heap = [Timer(*row) for row in state["timers"]]
        heapq.heapify(self._heap)
        self._changed.set()

    def _due(self, to: float) -> bool:
        return bool(self._heap) and self._heap[0].due <= to

    def _run_next(self) -> Timer:
        timer = heapq.heappop(self._heap)
        done = False
        try:
            self._handlers[timer.kind](**timer.args)
            done = True
        finally:
            if not done:  # a handler that breaks ends the server, and not what it had to do
                heapq.heappush(self._heap, timer)
        return timer

    def _wait(self) -> float | None:
        """Real seconds until the next timer; None if only a change can make one due."""
        if not self._heap or self._clock.virtual:
            return None
        return max(0.0, (self._heap[0].due - self._clock.now()) / self._clock.speed)
