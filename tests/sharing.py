"""How tests are shared out among the workers of pytest-xdist. Used by `tests/conftest.py`.

A module's tests stay together, as they may share a server, and so do modules that share a world which
takes long to make. (xdist's own groups, `--dist loadgroup`, do nothing with pytest 9.2.)
"""

from typing import Any

import pytest

# What is run together, by how a module's path begins; it takes minutes, the longest first.
TOGETHER = (
    "tests/rehearsal/",
    "tests/local/test_demo_killed.py",
    "tests/local/rehearsals/",
    "tests/ui/",
    "tests/provisioning/test_local_",
)


def group(nodeid: str) -> str:
    """What a test is run together with: its module, or more than that."""
    module = nodeid.partition("::")[0]
    return next((one for one in TOGETHER if module.startswith(one)), module)


def rank(nodeid: str) -> int:
    """The place of a test's group in the order in which they begin."""
    found = group(nodeid)
    return TOGETHER.index(found) if found in TOGETHER else len(TOGETHER)


def scheduler(config: pytest.Config, log: Any) -> Any:
    """What hands groups to workers, in the order in which the tests are collected."""
    from xdist.scheduler import LoadScopeScheduling  # only where there are workers

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group(nodeid)

    config.option.loadscopereorder = False  # by the number of tests, which says nothing here
    return Groups(config, log)
