"""Work in a thread, heard from while it goes on, and stopped together with whoever listens.

Dagster ends a run by raising in the main thread; threads would work on. Here the listener's end
sets the stop event and waits for the work to end, so nothing is changed after a run is over.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

from platform_pipelines.clock import Clock

T = TypeVar("T")


class Stream(Generic[T]):
    """What a work emits, in order; iterate over it once. The work's error is raised at the end."""

    def __init__(
        self, work: Callable[[Callable[[T], None], threading.Event], object], clock: Clock
    ) -> None:
        self._work = work
        self._clock = clock

    def __iter__(self) -> Iterator[T]:
        emitted: queue.SimpleQueue[tuple[T] | None] = queue.SimpleQueue()
        stop = threading.Event()

        def emit(item: T) -> None:
            emitted.put((item,))

        # Leaving this block, for whatever reason, waits for the work's end.
        with self._clock.alongside(lambda: self._work(emit, stop)) as work:
            try:
                work.add_done_callback(lambda _: emitted.put(None))
                while (item := emitted.get()) is not None:
                    yield item[0]
            finally:
                stop.set()
        work.result()
