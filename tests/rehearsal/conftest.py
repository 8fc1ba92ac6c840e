"""The platform in virtual time: built once, and as it was built for each module."""

from collections.abc import Iterator

import pytest

from tests.rehearsal.built import Built, built
from tests.rehearsal.virtual import Rehearsal, acting_on


@pytest.fixture(scope="package")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """The world that all rehearsals share, one after the other."""
    with built(tmp_path_factory.mktemp("built")) as made:
        yield made


@pytest.fixture(scope="module")
def rehearsal(platform: Built, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rehearsal]:
    """The product on the platform as it was built; the tests of a module follow one another."""
    with acting_on(platform.again(), tmp_path_factory.mktemp("rehearsal")) as made:
        yield made
