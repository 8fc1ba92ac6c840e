"""The processes of the demo: started together, ended together, each with its own log.

Every process is the leader of a session of its own, because `dagster dev` leaves children behind;
only those sessions are ended, by the pid that we started.
"""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from platform_pipelines.errors import Failed

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
class Processes:
    """Started processes, in the order of their start."""

    logs: Path
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
        return log

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
