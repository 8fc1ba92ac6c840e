"""Several workers fail a session for the same reasons as one does: see `tests/conftest.py`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_world import ROOT

SEEN = range(6)
SHARING = "SEEN = []\n\n" + "".join(f"def test_{n}(): SEEN.append({n})\n\n" for n in SEEN)
SHARING += f"def test_all(): assert len(SEEN) == {len(SEEN)}\n"
WRONG = """
from tests import local_world

def test_a_server_noted_something():
    local_world.VIOLATIONS.append("DescribeIt: Thing is not in its model")
"""
SKIPS = "import pytest\n\ndef test_it(): pytest.skip('no chromium')\n"
SKIPS_WHOLE = "import pytest\n\npytest.skip('no chromium', allow_module_level=True)\n"


def _pytest(folder: Path, workers: int, **modules: str) -> tuple[int, str]:
    """Workers with our hooks, on a folder with these test modules, in CI."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    for name, content in modules.items():
        (folder / f"test_{name}.py").write_text(content)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-n", str(workers), folder],
        cwd=ROOT,
        env={**os.environ, "CI": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_what_the_servers_of_a_worker_noted_fails_the_session(tmp_path: Path) -> None:
    """Although all tests passed, also those that need what others of their module have made."""
    status, told = _pytest(tmp_path, 2, one=SHARING, other=SHARING, wrong=WRONG)
    assert f"{2 * len(SEEN) + 3} passed" in told
    assert told.count("not as botocore's model has it: DescribeIt: Thing is not in its model") == 1
    assert status == pytest.ExitCode.TESTS_FAILED


def test_a_skip_in_a_worker_is_a_failure_in_ci(tmp_path: Path) -> None:
    """With its reason."""
    status, told = _pytest(tmp_path, 1, skips=SKIPS, wrong=WRONG)
    assert "1 failed, 1 passed" in told
    assert "Skipped, which is a failure in CI: Skipped: no chromium" in told
    assert status == pytest.ExitCode.TESTS_FAILED


def test_a_module_that_skips_itself_fails_its_worker(tmp_path: Path) -> None:
    """Its tests are not even collected, so nobody would miss them."""
    status, told = _pytest(tmp_path, 1, whole=SKIPS_WHOLE)
    assert "Skipped, which is a failure in CI: Skipped: no chromium" in told
    assert status != pytest.ExitCode.OK
