"""Work in a thread, heard from while it goes on, and stopped together with whoever listens.

Dagster ends a run by raising in the main thread; threads would work on. Closing a stream sets the
stop event and waits for the work to end, so nothing is changed after a run is over. Whoever listens
closes it; and the resource `regions` does at the end of the run, because Dagster may raise while the
listener waits in a `yield`, and then keeps it alive.
"""

import queue
import threading
from collections.abc import Callable, Generator, Iterator
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
        self._told = self._telling()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        return next(self._told)

    def close(self) -> None:
        """End the work, if it goes on, and wait until it has ended."""
        self._told.close()

    def _telling(self) -> Generator[T, None, None]:
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
