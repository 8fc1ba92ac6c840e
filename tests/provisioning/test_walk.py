import threading

import pytest

from platform_pipelines.provisioning.walk import Key, Walk
from tests.fakes.clock import FakeClock

DIAMOND: dict[Key, list[Key]] = {
    ("a", "root"): [],
    ("a", "left"): [("a", "root")],
    ("a", "right"): [("a", "root")],
    ("a", "end"): [("a", "left"), ("a", "right")],
}


def test_everything_is_visited_once_after_what_it_needs() -> None:
    """The two arms of a diamond are between its ends."""
    visited: list[Key] = []
    Walk(DIAMOND, visited.append, FakeClock()).run()
    assert visited[0] == ("a", "root")
    assert visited[-1] == ("a", "end")
    assert sorted(visited) == sorted(DIAMOND)


def test_what_can_run_at_once_does() -> None:
    """Time is that of the longest path."""
    clock = FakeClock()
    seconds = {"root": 1, "left": 10, "right": 3, "end": 1}
    Walk(DIAMOND, lambda key: clock.sleep(seconds[key[1]]), clock).run()
    assert clock.monotonic() == 12


def test_what_lies_outside_is_not_waited_for() -> None:
    """A selection may need things that are not part of it."""
    visited: list[Key] = []
    Walk({("a", "end"): [("a", "left")]}, visited.append, FakeClock()).run()
    assert visited == [("a", "end")]


def test_a_wide_walk_needs_no_thread_a_key() -> None:
    """More keys than any pool has threads, all of which wait for one."""
    needs: dict[Key, list[Key]] = {("a", "root"): []}
    needs |= {("a", str(number)): [("a", "root")] for number in range(100)}
    lock, visited = threading.Lock(), []

    def visit(key: Key) -> None:
        with lock:
            visited.append(key)

    Walk(needs, visit, FakeClock()).run()
    assert len(visited) == 101


def test_an_error_ends_its_branch_and_is_raised_in_the_end() -> None:
    """The other branch is still walked."""
    visited: list[Key] = []

    def visit(key: Key) -> None:
        if key == ("a", "left"):
            raise ValueError("left")
        visited.append(key)

    with pytest.raises(ValueError, match="left"):
        Walk(DIAMOND, visit, FakeClock()).run()
    assert visited == [("a", "root"), ("a", "right")]
