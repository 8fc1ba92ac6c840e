"""Fixtures for every test folder: one world of local Regions for all who only look, fresh ones for
who changes what others would see. In CI (variable CI) a test that skips is a failed test.

`make test` runs several workers (pytest-xdist); what one does for the others is in `tests.sharing`.
"""

import dataclasses
import os
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests import local_world, sharing
from tests.local_world import LocalWorld

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
SPEED = 200
EMPTY = "empty"  # a snapshot
VIOLATIONS = "violations"  # in what a worker tells the session


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that skips on a laptop, because something is not installed there, must run in CI."""
    return _no_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips as a whole."""
    return _no_skip((yield))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Workers begin with what takes longest, so that none is left alone with it in the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: sharing.rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give every worker whole modules, and the modules that share a world together."""
    return sharing.scheduler(config, log)


@pytest.hookimpl(trylast=True)  # after the last servers ended
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Every answer of the local Regions in this session is one that AWS could have given."""
    if (output := getattr(session.config, "workeroutput", None)) is not None:
        output[VIOLATIONS] = local_world.VIOLATIONS  # a worker's own exit status tells nobody
        return
    for line in dict.fromkeys(local_world.VIOLATIONS):
        sys.stderr.write(f"\nnot as botocore's model has it: {line}\n")
    if local_world.VIOLATIONS and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What the servers of a worker noted; nothing of one that crashed, which is a failure itself."""
    local_world.VIOLATIONS.extend(getattr(node, "workeroutput", {}).get(VIOLATIONS, ()))


def _no_skip(report: Report) -> Report:
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Skipped, which is a failure in CI: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> object:
    """pytest gives (path, line, reason) of a skip."""
    return longrepr[-1] if isinstance(longrepr, tuple) else longrepr


@pytest.fixture(scope="session")
def local_regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """The world that a test session (of one worker) shares: leave no outage and no odd names."""
    with local_world.start(tmp_path_factory.mktemp("local"), speed=SPEED) as world:
        yield world


@pytest.fixture(scope="session")
def _spare_regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    with local_world.start(tmp_path_factory.mktemp("spare"), speed=20) as world:
        world.control.take_snapshot(EMPTY)
        yield world


@pytest.fixture
def emptied_regions(_spare_regions: LocalWorld) -> LocalWorld:
    """A world with nothing in it and nothing broken: a server of before, as it was when it began."""
    control = _spare_regions.control
    control.restore_snapshot(EMPTY)
    return dataclasses.replace(_spare_regions, told=sum(1 for _ in control.calls()))


@pytest.fixture
def fresh_regions(tmp_path: Path) -> Iterator[LocalWorld]:
    """A server of the test's own, for what a snapshot does not bring back."""
    with local_world.start(tmp_path / "local", speed=SPEED) as world:
        yield world


@pytest.fixture
def start_regions(tmp_path: Path) -> Iterator[Callable[..., LocalWorld]]:
    """Starts worlds with settings of the test's own; they end with the test."""
    with ExitStack() as stack:
        folders = iter(range(100))

        def start(**settings: object) -> LocalWorld:
            folder = tmp_path / f"world-{next(folders)}"
            return stack.enter_context(local_world.start(folder, **settings))  # type: ignore[arg-type]

        yield start
