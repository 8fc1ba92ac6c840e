"""What changed in a cluster, in order: the memory behind `watch`.

Each change has the next resourceVersion, without gaps, so that a watcher's place in the history is
a subtraction. Old changes are forgotten; who still needs them is told that they expired.
"""

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice

from platform_pipelines.local.kube import faults
from platform_pipelines.local.kube.kinds import Kind
from platform_pipelines.local.kube.objects import Obj

KEPT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One object came, changed or went."""

    version: int
    type: str  # ADDED, MODIFIED, DELETED
    kind: Kind
    obj: Obj
    previous: Obj | None  # before the change; None when it came


class History:
    """The last changes of one store."""

    def __init__(self, kept: int = KEPT, start: int = 1000) -> None:
        self.latest = start
        self._changes: deque[Change] = deque(maxlen=kept)
        self._waiting: set[asyncio.Event] = set()

    @property
    def oldest(self) -> int:
        """The oldest version from which everything that followed is still known."""
        return self._changes[0].version - 1 if self._changes else self.latest

    def append(self, change: Change) -> None:
        """Record a change and wake whoever waits for one."""
        self.latest = change.version
        self._changes.append(change)
        self._wake()

    def begin(self, version: int) -> None:
        """Forget everything; whoever waits is woken to learn that its version has expired."""
        self.latest = version
        self._changes.clear()
        self._wake()

    def after(self, version: int) -> list[Change]:
        """The changes since `version`. Raises: KubeFault, when some of them are forgotten."""
        if version < self.oldest:
            text = f"too old resource version: {version} ({self.oldest})"
            raise faults.expired(text)
        count = self.latest - version
        newest_first = list(islice(reversed(self._changes), max(0, count)))
        return newest_first[::-1]

    async def wait(self, version: int, seconds: float) -> bool:
        """Whether there was a change after `version`, within `seconds`."""
        if self.latest > version:
            return True
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            await asyncio.wait_for(event.wait(), seconds)
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(event)
        return True

    def _wake(self) -> None:
        for event in self._waiting:
            event.set()
