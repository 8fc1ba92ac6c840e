"""How `make bench` measures wall times and prints its table."""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]


def python(statement: str) -> None:
    """A process that imports and ends."""
    process([sys.executable, "-c", statement])


def process(command: list[str], environment: Mapping[str, str] | None = None) -> None:
    """A process until its end. Raises: subprocess.CalledProcessError, if it failed."""
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=environment)


def median(call: Callable[[], object], times: int) -> float:
    """The median of some wall times, in seconds."""
    return statistics.median(timed(call) for _ in range(times))


def beside(one: Callable[[], object], other: Callable[[], object], times: int) -> list[float]:
    """The medians of two calls that are made in turn, so that whatever else this machine does slows
    them alike."""
    pairs = [(timed(one), timed(other)) for _ in range(times)]
    return [statistics.median(found) for found in zip(*pairs, strict=True)]


def timed(call: Callable[[], object]) -> float:
    """One wall time, in seconds."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def row(what: str, *values: str) -> None:
    """One line with a value for each server."""
    line(f"{what:58}" + "".join(f"{value:>16}" for value in values))


def tell(what: str, seconds: float) -> None:
    """One line of the table."""
    line(f"{what:52} {seconds * 1000:>7.1f} ms")


def ratio(what: str, value: float) -> None:
    """One line that compares two others."""
    line(f"{what:52} {value:>9.2f}x")


def line(text: str) -> None:
    """One line, as soon as it is known."""
    print(text, flush=True)  # noqa: T201  # this is what `make bench` is for
