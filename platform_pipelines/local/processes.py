"""The processes of the demo: started together, ended together, each with its own log.

Every process is the leader of a session of its own, because `dagster dev` leaves children behind;
only those sessions are ended, by the pid that we started.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import psutil

from platform_pipelines.errors import Failed, Refused

PATIENCE = 3.0  # real seconds; Dagster's daemon would wait for the end of its longest tick, 38 s


@dataclass
class ProcessEnded(Failed):
    """A process that should run has ended."""

    name: str
    status: int
    log: Path

    def __str__(self) -> str:
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        return f"{self.name} ended with status {self.status}; the end of {self.log}:\n{tail}"


@dataclass
class StageTaken(Refused):
    """Somebody plays on this stage already."""

    pid: int
    folder: Path

    def __str__(self) -> str:
        return f"process {self.pid} uses {self.folder}; end it first, or name another --state"


@dataclass
class Processes:
    """Started processes, in the order of their start. A file notes them, so that what outlives a
    SIGKILL of their owner is ended by the next one."""

    logs: Path
    note: Path
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Path:
        """Start a process; returns the log of what it prints."""
        self.logs.mkdir(parents=True, exist_ok=True)
        log = self.logs / f"{name}.log"
        with log.open("wb") as out:
            self._running[name] = subprocess.Popen(
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._write()
        return log

    def _write(self) -> None:
        """Note who is who; whole or not at all, because we may be killed here, too."""
        started = [_identity(process.pid) for process in self._running.values()]
        noted = {"owner": _identity(os.getpid()), "started": [one for one in started if one]}
        draft = self.note.with_suffix(".new")
        draft.write_text(json.dumps(noted))
        draft.replace(self.note)

    def check(self) -> None:
        """See that everything still runs. Raises: ProcessEnded."""
        for name, process in self._running.items():
            status = process.poll()
            if status is not None:
                raise ProcessEnded(name, status, self.logs / f"{name}.log")

    def __enter__(self) -> "Processes":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in reversed(self._running.values()):
            _signal(process, signal.SIGTERM)
        for process in self._running.values():
            _end(process)
        self.note.unlink(missing_ok=True)


def end_orphans(note: Path) -> list[int]:
    """End what an owner left behind that was killed; their pids. Raises: StageTaken, while the owner
    lives."""
    if not note.exists():
        return []
    noted = json.loads(note.read_text())
    if _identity(noted["owner"]["pid"]) == noted["owner"]:
        raise StageTaken(noted["owner"]["pid"], note.parent)
    orphans = [one["pid"] for one in noted["started"] if _is_orphan(one)]
    for pid in orphans:
        _kill_group(pid)
    note.unlink()
    return orphans


def _identity(pid: int) -> dict[str, float] | None:
    """A process beyond its pid, which the system may give away again."""
    try:
        return {"pid": pid, "started": psutil.Process(pid).create_time()}
    except psutil.NoSuchProcess:
        return None


def _is_orphan(one: dict[str, float]) -> bool:
    """Whether a session that we started still lives. Its number is not given away while it does; if
    somebody has it who was started later, ours is gone."""
    return _identity(int(one["pid"])) in (one, None) and _alive(int(one["pid"]))


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + PATIENCE
    while _alive(group) and time.monotonic() < deadline:
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for a session to end; what does not end in time is killed."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        _signal(process, signal.SIGKILL)
        process.wait()
    deadline = time.monotonic() + PATIENCE
    while _alive(process.pid):
        if time.monotonic() > deadline:
            _signal(process, signal.SIGKILL)
            return
        time.sleep(0.05)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True
