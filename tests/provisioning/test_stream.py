import threading
from collections.abc import Callable

import pytest

from platform_pipelines.clock import RealClock
from platform_pipelines.provisioning.stream import Stream


def test_what_is_emitted_is_heard_in_order() -> None:
    """The listener hears all of it, and then the stream ends."""

    def work(emit: Callable[[int], None], stop: threading.Event) -> None:
        for number in range(5):
            emit(number)

    assert list(Stream(work, RealClock())) == [0, 1, 2, 3, 4]


def test_the_works_error_comes_after_what_it_emitted() -> None:
    """Nothing that was done is lost."""
    heard: list[str] = []

    def work(emit: Callable[[str], None], stop: threading.Event) -> None:
        emit("done")
        raise ValueError("then it broke")

    with pytest.raises(ValueError, match="then it broke"):
        heard.extend(Stream(work, RealClock()))
    assert heard == ["done"]


def test_a_listener_that_goes_away_stops_the_work_and_waits_for_it() -> None:
    """As when a run is terminated: nothing goes on behind its back."""
    ended: list[bool] = []

    def work(emit: Callable[[int], None], stop: threading.Event) -> None:
        emit(1)
        ended.append(stop.wait(30))

    stream = iter(Stream(work, RealClock()))
    assert next(stream) == 1
    stream.close()  # type: ignore[attr-defined]  # it is a generator
    assert ended == [True]
