"""Tests of what `make bench` computes; what it measures is no test."""

from tests.bench_apply import critical_path

NETWORK, KEYS, CLUSTER, FILES = (
    ("seoul", name) for name in ("network", "keys", "cluster", "files")
)
NEEDS = {NETWORK: [], KEYS: [], CLUSTER: [NETWORK, KEYS], FILES: [CLUSTER]}


def test_the_critical_path_is_the_longest_in_seconds() -> None:
    """Of two ways to the same stack the slower one counts."""
    seconds = {NETWORK: 10.0, KEYS: 30.0, CLUSTER: 100.0, FILES: 5.0}
    assert critical_path(NEEDS, seconds) == ([KEYS, CLUSTER, FILES], 135.0)


def test_a_slow_stack_that_nothing_waits_for_can_be_the_critical_path() -> None:
    """The path ends wherever the work ends last, not at the end of the graph."""
    seconds = {NETWORK: 500.0, KEYS: 30.0, CLUSTER: 1.0, FILES: 1.0}
    assert (
        critical_path(
            {**NEEDS, ("seoul", "control"): []}, {**seconds, ("seoul", "control"): 900.0}
        )[1]
        == 900.0
    )
