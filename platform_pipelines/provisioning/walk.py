"""Walks the units along their dependencies, everything that can run at once at once.

There is no waiting in here: whoever ends last before a unit goes on with it. So the walk takes as
long as its longest path, with any clock, and no thread ever waits for another one's turn.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from platform_pipelines.clock import Clock

Key = tuple[str, str]


class Walk:
    """One walk over `needs`: each key with the keys that must have ended before it."""

    def __init__(
        self, needs: Mapping[Key, Sequence[Key]], visit: Callable[[Key], None], clock: Clock
    ) -> None:
        self._visit = visit
        self._clock = clock
        self._lock = threading.Lock()
        # What lies outside of the walk is not waited for.
        self._waiting = {
            key: {one for one in before if one in needs} for key, before in needs.items()
        }

    def run(self) -> None:
        """Visit every key; the first error is raised after all have ended. What comes after a
        visit that raised is not visited."""
        self._go([key for key, before in self._waiting.items() if not before])

    def _go(self, keys: Sequence[Key]) -> None:
        self._clock.gather([partial(self._one, key) for key in keys])

    def _one(self, key: Key) -> None:
        self._visit(key)
        self._go(self._released(key))

    def _released(self, ended: Key) -> list[Key]:
        """The keys that waited for this one last."""
        released = []
        with self._lock:
            for key, before in self._waiting.items():
                if ended in before:
                    before.remove(ended)
                    if not before:
                        released.append(key)
        return released
