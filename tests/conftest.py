"""Fixtures for every test folder: one world of local Regions for all who only look, fresh ones for
who changes what others would see."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import local_world
from tests.local_world import LocalWorld

SPEED = 200


@pytest.fixture(scope="session")
def local_regions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorld]:
    """The world that a test session (of one worker) shares: leave no outage and no odd names."""
    with local_world.start(tmp_path_factory.mktemp("local"), speed=SPEED) as world:
        yield world


@pytest.fixture
def fresh_regions(tmp_path: Path) -> Iterator[LocalWorld]:
    """A world of the test's own."""
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
