import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local_world import ROOT

SKIPS = """
import pytest

@pytest.mark.skip(reason="no chromium")
def test_marked(): ...

def test_while_it_runs():
    pytest.skip("no chromium")

@pytest.mark.xfail(reason="known", strict=True)
def test_expected(): raise ValueError
"""
SKIPS_WHOLE = "import pytest\npytest.skip('no chromium', allow_module_level=True)\n"


def _pytest(folder: Path, content: str, environment: dict[str, str]) -> tuple[int, str]:
    """pytest with our hooks, on a folder with one test module."""
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(content)
    kept = {name: value for name, value in os.environ.items() if name != "CI"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", folder],
        cwd=ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_in_ci_a_skipped_test_fails_with_its_reason(tmp_path: Path) -> None:
    """Marked or at run time; an expected failure is no skip."""
    status, told = _pytest(tmp_path, SKIPS, {"CI": "true"})
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "1 failed, 1 xfailed, 1 error" in told  # a mark acts before the test itself
    assert told.count("Skipped, which is a failure in CI") >= 2
    assert "no chromium" in told


def test_in_ci_a_module_that_skips_itself_fails(tmp_path: Path) -> None:
    """Its tests are not even collected, so nobody would miss them."""
    status, told = _pytest(tmp_path, SKIPS_WHOLE, {"CI": "true"})
    assert status == pytest.ExitCode.INTERRUPTED
    assert "Skipped, which is a failure in CI: Skipped: no chromium" in told


def test_elsewhere_a_skip_is_a_skip(tmp_path: Path) -> None:
    """A laptop without a browser can still run the tests."""
    status, told = _pytest(tmp_path, SKIPS, {})
    assert status == pytest.ExitCode.OK
    assert "2 skipped, 1 xfailed" in told
