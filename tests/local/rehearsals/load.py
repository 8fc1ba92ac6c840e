"""A busy platform: one thread for each kind of change, each noting what AWS or Kubernetes accepted.

The n-th change of a worker makes something that bears the number n. Whatever was accepted must be
found afterwards; what was asked for and not answered may be found; nothing else may.
"""

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, HTTPClientError
from urllib3.exceptions import HTTPError

from platform_pipelines.local.client import LocalRegionsFailed

GONE = (BotoCoreError, HTTPClientError, HTTPError, LocalRegionsFailed, OSError)


@dataclass(kw_only=True)
class Worker:
    """One kind of change."""

    change: Callable[[int], Any]  # make the n-th
    seen: Callable[[], Iterable[int]]  # the numbers that are found
    asked: set[int] = field(default_factory=set)
    accepted: set[int] = field(default_factory=set)
    counts: bool = False  # whether only how many there were is found

    def bounds(self) -> tuple[set[int], set[int]]:
        """What must be found now, and what may be."""
        if self.counts:
            return set(range(len(self.accepted))), set(range(len(self.asked)))
        return set(self.accepted), set(self.asked)

    def work(self, stop: threading.Event) -> None:
        """One change after the other, until somebody says stop or the server is gone."""
        for number in itertools.count(len(self.asked)):
            if stop.is_set():
                return
            self.asked.add(number)
            try:
                self.change(number)
            except GONE:
                return
            self.accepted.add(number)


@contextmanager
def busy(workers: Iterable[Worker]) -> Iterator[None]:
    """All of them at work, until the end of the context."""
    stop = threading.Event()
    threads = [threading.Thread(target=worker.work, args=[stop]) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
