"""The state folder of the local Regions: only what this server wrote there is ever removed."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from platform_pipelines.errors import Refused
from platform_pipelines.local import calls, kubeconfig, tls, vault, violations

FOLDERS = (tls.FOLDER, "ministack", vault.SNAPSHOTS)
_WORLD = tuple(f"{vault.FILE}{suffix}" for suffix in ("", "-wal", "-shm"))
FILES = (calls.FILE, kubeconfig.FILE, kubeconfig.TOKEN, violations.FILE, *_WORLD)


@dataclass
class StateUnusable(Refused):
    """We cannot write there."""

    path: str
    reason: str

    def __str__(self) -> str:
        return f"--state {self.path}: {self.reason}; allowed: a folder that can be written"


def prepare(state: Path, *, reset: bool) -> None:
    """Make the folder; with `reset`, forget what an earlier server left. Raises: StateUnusable."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        if reset:
            _forget(state)
    except OSError as error:
        raise StateUnusable(str(state), error.strerror or str(error)) from None


def _forget(state: Path) -> None:
    for name in FOLDERS:
        shutil.rmtree(state / name, ignore_errors=True)
    for name in FILES:
        (state / name).unlink(missing_ok=True)
