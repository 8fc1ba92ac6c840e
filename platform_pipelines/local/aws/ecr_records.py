"""What ECR remembers: one record, and one row on disk, for each repository with all of its images.

A repository is decoded when it is asked for, so a world with ten thousand of them starts at once and
a commit writes only those that were opened to be changed. Bulk-loaded repositories are a row that
says how many images there are; they are made when somebody looks, always the same.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from platform_pipelines.local import images as oci

OPEN = 1024  # decoded repositories that are kept


class Status(StrEnum):
    """Whether an image can be pulled."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"
    ACTIVATING = "ACTIVATING"


@dataclass(kw_only=True)
class Image:
    """One manifest of a repository, under any number of tags."""

    digest: str
    media_type: str
    manifest: str
    pushed: float  # AWS-like Unix seconds
    tags: list[str] = field(default_factory=list)
    status: Status = Status.ACTIVE
    archived: float | None = None
    activated: float | None = None
    # Region/account -> status, failureCode
    copies: dict[str, dict[str, str]] = field(default_factory=dict)

    @cached_property
    def document(self) -> dict[str, Any]:
        """The manifest, parsed."""
        found: dict[str, Any] = json.loads(self.manifest)
        return found

    @property
    def children(self) -> list[str]:
        """The digests that an index refers to; none for a single manifest."""
        return [one["digest"] for one in self.document.get("manifests", [])]

    @property
    def blobs(self) -> dict[str, int]:
        """The layers and the configuration of a single manifest: digest to size."""
        document = self.document
        parts = [*document.get("layers", []), *filter(None, [document.get("config")])]
        return {one["digest"]: int(one.get("size", 0)) for one in parts}


@dataclass(kw_only=True)
class Repository:
    """A repository of one registry."""

    account: str
    region: str  # AWS name
    name: str
    created: float
    mutability: str = "MUTABLE"
    exclusions: list[dict[str, str]] = field(default_factory=list)
    scan_on_push: bool = False
    encryption: dict[str, str] = field(default_factory=lambda: {"encryptionType": "AES256"})
    tags: list[dict[str, str]] = field(default_factory=list)
    policy: str | None = None
    lifecycle: str | None = None
    evaluated: float | None = None  # when its lifecycle policy was looked at
    preview: dict[str, Any] | None = None
    layers: dict[str, int] = field(default_factory=dict)  # uploaded: digest -> size
    uploads: dict[str, list[str]] = field(default_factory=dict)  # id -> base64 of the parts
    load: Callable[[], list[Image]] = list  # reads the images, when somebody asks for them

    @cached_property
    def images(self) -> list[Image]:
        """Its images, in the order in which they came."""
        return self.load()

    @property
    def arn(self) -> str:
        return f"arn:aws:ecr:{self.region}:{self.account}:repository/{self.name}"

    def image(self, digest: str) -> Image | None:
        """An image by its digest."""
        return next((one for one in self.images if one.digest == digest), None)

    def tagged(self, tag: str) -> Image | None:
        """The image that a tag names."""
        return next((one for one in self.images if tag in one.tags), None)

    def has_blob(self, digest: str) -> int | None:
        """The size of a layer that is here; None if it is not."""
        if digest in self.layers:
            return self.layers[digest]
        return next((one.blobs[digest] for one in self.images if digest in one.blobs), None)

    def row(self) -> bytes:
        """As it is on disk; where it is, is the row's key."""
        kept = {key: value for key, value in vars(self).items() if key not in _NOT_KEPT}
        kept["images"] = [_plain(one) for one in self.images]
        return json.dumps(kept, separators=(",", ":")).encode()


Place = tuple[str, str]  # account and Region (an AWS name)
Key = tuple[str, str, str]  # … and the repository's name
_NOT_KEPT = frozenset({"account", "region", "name", "load"})


class Repositories:
    """All repositories of one world: a part of its vault."""

    def __init__(self) -> None:
        self._rows: dict[Place, dict[str, bytes]] = {}
        self._open: dict[Key, Repository] = {}
        self._dirty: set[Key] = set()

    def names(self, account: str, region: str) -> list[str]:
        """The repositories of a registry, in the order of their names."""
        return sorted(self._rows.get((account, region), ()))

    def find(self, account: str, region: str, name: str) -> Repository | None:
        """A repository to look at; None if there is none."""
        key = (account, region, name)
        found = self._open.get(key)
        if found is None and name in self._rows.get((account, region), ()):
            found = _read(key, self._rows[account, region][name])
            self._make_room()
            self._open[key] = found
        return found

    def open(self, account: str, region: str, name: str) -> Repository:
        """A repository to change. Raises: KeyError, if there is none."""
        found = self.find(account, region, name)
        if found is None:
            raise KeyError(name)
        self._dirty.add((account, region, name))
        return found

    def add(self, repository: Repository) -> None:
        """Keep a new repository."""
        place, name = (repository.account, repository.region), repository.name
        self._rows.setdefault(place, {})[name] = b""
        self._open[*place, name] = repository
        self._dirty.add((*place, name))

    def remove(self, repository: Repository) -> None:
        """Forget a repository and its images."""
        place, name = (repository.account, repository.region), repository.name
        del self._rows[place][name]
        self._open.pop((*place, name), None)
        self._dirty.add((*place, name))

    def fill(self, account: str, region: str, name: str, *, created: float, images: int) -> bool:
        """Keep a bulk-loaded repository; False if there is one of this name already."""
        known = self._rows.setdefault((account, region), {})
        if name in known:
            return False
        known[name] = json.dumps({"created": created, "seed": images}).encode()
        self._dirty.add((account, region, name))
        return True

    def policed(self) -> Iterator[Key]:
        """Where the repositories with a lifecycle policy are, without decoding any."""
        for (account, region), rows in list(self._rows.items()):
            for name, row in list(rows.items()):
                known = self._open.get((account, region, name))
                if known.lifecycle is not None if known else b'"lifecycle":"' in row:
                    yield account, region, name

    # As a part of the vault

    def changed(self) -> Iterable[tuple[str, bytes | None]]:
        dirty, self._dirty = self._dirty, set()
        return [("/".join(key), self._row(key)) for key in sorted(dirty)]

    def restore(self, rows: Mapping[str, bytes]) -> None:
        self._rows, self._open, self._dirty = {}, {}, set()
        for key, row in rows.items():
            account, region, name = key.split("/", 2)
            self._rows.setdefault((account, region), {})[name] = row

    def _row(self, key: Key) -> bytes | None:
        account, region, name = key
        rows = self._rows.get((account, region), {})
        if name in rows and key in self._open:
            rows[name] = self._open[key].row()
        return rows.get(name)

    def _make_room(self) -> None:
        if len(self._open) >= OPEN:
            self._open = {key: self._open[key] for key in self._open.keys() & self._dirty}


def stamped(name: str, number: int, pushed: float) -> Image:
    """The image of this number in a bulk-loaded repository: the same in every Region."""
    tag = f"v{number}"
    blob = oci.stamp(name, tag)
    return Image(
        digest=blob.digest,
        media_type=blob.media_type,
        manifest=blob.content.decode(),
        pushed=pushed,
        tags=[tag],
    )


def _read(key: Key, row: bytes) -> Repository:
    fields = json.loads(row)
    place: dict[str, Any] = dict(zip(("account", "region", "name"), key, strict=True))
    if "seed" in fields:
        created, count = fields["created"], fields["seed"]
        numbers = range(1, count + 1)
        return Repository(
            **place, created=created, load=lambda: [stamped(key[2], n, created) for n in numbers]
        )
    images = fields.pop("images")
    return Repository(**place, **fields, load=lambda: [_image(one) for one in images])


def _plain(image: Image) -> dict[str, Any]:
    kept = vars(image)
    return {key: value for key, value in kept.items() if key != "document" and value is not None}


def _image(fields: dict[str, Any]) -> Image:
    return Image(**{**fields, "status": Status(fields["status"])})
