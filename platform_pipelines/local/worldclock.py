"""The time of the local Regions: real time at some speed, or time that stands still until told.

`Running` is what `make demo` uses; `Standing` is `--clock virtual`, which only
`POST /_local/clock/advance` moves. Both are what one `PLATFORM_CLOCK` value says to other processes.
"""

import time
from typing import Any, Protocol

from platform_pipelines.clock import ScaledClock
from platform_pipelines.local.vault import FILE, WorldUnreadable

State = dict[str, Any]


class WorldClock(Protocol):
    """Time as the server knows it."""

    @property
    def speed(self) -> float:
        """AWS-like seconds per real second."""

    @property
    def virtual(self) -> bool:
        """Whether time moves only when it is told to."""

    def now(self) -> float:
        """AWS-like Unix seconds."""

    def variable(self, url: str) -> str:
        """The value of PLATFORM_CLOCK by which a process shares this time; `url`: the AWS port."""

    def dump(self) -> State:
        """What to keep of it."""

    def load(self, state: State) -> None:
        """Go on from what was kept; time never turns back while processes share it."""


class Running:
    """Real time, `speed` times as fast since `origin` (Unix seconds)."""

    virtual = False

    def __init__(self, speed: float, origin: float | None = None) -> None:
        self._clock = ScaledClock(speed, time.time() if origin is None else origin)

    @property
    def speed(self) -> float:
        return self._clock.speed

    @property
    def origin(self) -> float:
        """Where AWS-like and real time were the same, Unix seconds."""
        return self._clock.origin

    def now(self) -> float:
        return self._clock.at(time.time())

    def variable(self, url: str) -> str:  # noqa: ARG002  # a running clock needs nobody to ask
        return f"scaled:{self.speed:g}:{self.origin!r}"

    def dump(self) -> State:
        return {"speed": self.speed, "origin": self.origin}

    def load(self, state: State) -> None:
        """At the same speed the origin stays, so that processes that share it are right; at another
        one, time goes on from where it would be now: nobody has seen a later one.
        Raises: WorldUnreadable, if that is impossible."""
        if state.get("speed") == self.speed:
            self._clock = ScaledClock(self.speed, state["origin"])
            return
        real = time.time()
        before = ScaledClock(state["speed"], state["origin"]).at(real)
        if self.speed == 1 and before > real + 1:
            ahead = f"its time is {before - real:.0f} s ahead of real time, which is all of speed 1"
            raise WorldUnreadable(FILE, ahead)
        if self.speed != 1 and before > self.now():
            self._clock = ScaledClock(self.speed, (before - real * self.speed) / (1 - self.speed))


class Standing:
    """Time that moves only by `move`."""

    virtual = True
    speed = 1.0

    def __init__(self, now: float | None = None) -> None:
        self._now = time.time() if now is None else now

    def now(self) -> float:
        return self._now

    def move(self, to: float) -> None:
        """Go on to this time; never back."""
        self._now = max(self._now, to)

    def variable(self, url: str) -> str:
        return f"virtual:{url}"

    def dump(self) -> State:
        return {"now": self._now}

    def load(self, state: State) -> None:
        """A snapshot's time is taken as it is: who drives the clock asks for it each time."""
        self._now = float(state["now"])
