"""The state folder of the local Regions: only what this server wrote there is ever removed."""

import fcntl
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from platform_pipelines.errors import Refused
from platform_pipelines.local import calls, kubeconfig, tls, vault, violations

CLAIM = "server.lock"
FOLDERS = (tls.FOLDER, "ministack", vault.SNAPSHOTS)
_WORLD = tuple(f"{vault.FILE}{suffix}" for suffix in ("", "-wal", "-shm"))
FILES = (calls.FILE, kubeconfig.FILE, kubeconfig.TOKEN, violations.FILE, *_WORLD)


@dataclass
class StateUnusable(Refused):
    """We cannot write there."""

    path: str
    reason: str

    def __str__(self) -> str:
        return (
            f"--state {self.path}: {self.reason}; allowed: a folder of its own that can be written"
        )


def prepare(state: Path, *, reset: bool) -> IO[bytes]:
    """Make the folder; with `reset`, forget what an earlier server left. It is the caller's as long
    as the file stays open, which no SIGKILL forgets to close. Raises: StateUnusable."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        claim = (state / CLAIM).open("ab")
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if reset:
            _forget(state)
    except BlockingIOError:
        raise StateUnusable(str(state), "another server uses it") from None
    except OSError as error:
        raise StateUnusable(str(state), error.strerror or str(error)) from None
    return claim


def _forget(state: Path) -> None:
    for name in FOLDERS:
        shutil.rmtree(state / name, ignore_errors=True)
    for name in FILES:
        (state / name).unlink(missing_ok=True)
