"""What the demo starts it ends, also after it was killed itself."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from platform_pipelines.local.processes import (
    ProcessEnded,
    Processes,
    StageTaken,
    end_orphans,
)

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"]
# An owner of one process that has a child of its own, as `dagster dev` does.
OWNER = """
import sys, time
from pathlib import Path
from platform_pipelines.local.processes import Processes
folder = Path(sys.argv[1])
nested = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
with Processes(folder, folder / "note.json") as processes:
    processes.start("parent", [sys.executable, "-c", nested], {})
    print("up", flush=True)
    time.sleep(60)
"""
SOON = 15.0  # real seconds


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """An owner that runs."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        yield process
        process.kill()
    note = tmp_path / "note.json"
    if note.exists():
        end_orphans(note)


def until(condition: Callable[[], bool]) -> bool:
    """Whether it comes true soon."""
    deadline = time.monotonic() + SOON
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def started(folder: Path) -> psutil.Process:
    """The process that the owner has noted."""
    noted = json.loads((folder / "note.json").read_text())
    return psutil.Process(noted["started"][0]["pid"])


def test_a_killed_owner_s_processes_are_ended_with_their_children(
    owner: subprocess.Popen[str], tmp_path: Path
) -> None:
    """And nothing is left to end a second time."""
    parent = started(tmp_path)
    assert until(lambda: len(parent.children()) == 1)
    family = [parent, *parent.children()]
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert end_orphans(tmp_path / "note.json") == [parent.pid]
    assert until(lambda: not any(one.is_running() for one in family))
    assert end_orphans(tmp_path / "note.json") == []


def test_children_of_a_process_that_is_gone_too_are_ended(
    owner: subprocess.Popen[str], tmp_path: Path
) -> None:
    """Their session is known by its number."""
    parent = started(tmp_path)
    assert until(lambda: len(parent.children()) == 1)
    (child,) = parent.children()
    owner.send_signal(signal.SIGKILL)
    parent.send_signal(signal.SIGKILL)
    owner.wait()
    assert until(lambda: not parent.is_running())
    end_orphans(tmp_path / "note.json")
    assert until(lambda: not child.is_running())


def test_a_living_owner_keeps_its_stage(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    """The error names its pid."""
    with pytest.raises(StageTaken, match=str(owner.pid)):
        end_orphans(tmp_path / "note.json")
    assert started(tmp_path).is_running()


def test_a_pid_that_somebody_else_has_now_is_left_alone(tmp_path: Path) -> None:
    """A process is known by its start, too."""
    with subprocess.Popen(SLEEPER, start_new_session=True) as other:
        note = tmp_path / "note.json"
        gone = {"pid": other.pid, "started": 1.0}
        note.write_text(json.dumps({"owner": gone, "started": [gone]}))
        assert end_orphans(note) == []
        assert other.poll() is None
        other.kill()


def test_a_process_that_ended_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    """The note is gone with the context."""
    with Processes(tmp_path, tmp_path / "note.json") as processes:
        processes.start("broken", [sys.executable, "-c", "raise SystemExit('no luck')"], {})

        def ended() -> bool:
            try:
                processes.check()
            except ProcessEnded as error:
                return "no luck" in str(error)
            return False

        assert until(ended)
    assert not (tmp_path / "note.json").exists()
