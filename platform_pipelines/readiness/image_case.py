"""One image under parity: what each Region would pull for its name, and why the two differ.

Called by `images` for every image that pod templates name.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from platform_pipelines.aws.ecr import CopyState, ImageState
from platform_pipelines.readiness.finding import Finding, Severity, Unknown
from platform_pipelines.readiness.inventory import Images
from platform_pipelines.readiness.references import ImageName, short

CHECK = "ecr_image_parity"
# "The majority of images replicate in less than 30 minutes" (ECR's documentation).
COPY_TAKES = timedelta(minutes=30)

# How far ECR is with copying: Region that holds the image (alias), repository, digest.
Copies = Callable[[str, str, str], CopyState | Unknown | None]


class State(StrEnum):
    """What can be said of an image."""

    IN_PARITY = "in_parity"
    MISSING = "missing"
    PENDING = "pending_replication"
    COPY_FAILED = "replication_failed"
    NOT_REPLICATED = "not_replicated"
    INCOMPLETE = "incomplete"  # an index without one of its children
    UNTAGGED = "untagged"
    DIVERGED = "diverged"
    WRONG_REGISTRY = "wrong_registry"
    FOREIGN = "foreign_registry"
    UNKNOWN = "unknown"


WARNINGS = (State.PENDING, State.FOREIGN)


def finding(
    subject: object,
    state: State,
    reason: str,
    action: str = "",
    severity: Severity | None = None,
) -> Finding:
    """A finding of this check; the severity follows the state unless it is given."""
    if severity is None:
        severity = Severity.WARN if state in WARNINGS else Severity.ERROR
    return Finding(
        check=CHECK,
        subject=str(subject),
        state=state,
        severity=severity,
        reason=reason,
        action=action,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """A Region, as one image finds it."""

    alias: str
    images: Images
    image: ImageState | None  # what a node of this Region would pull

    def find(self, repository: str, digest: str) -> ImageState | None:
        """A manifest by its digest."""
        found = self.images.repositories.get(repository)
        return found.images.get(digest) if found else None


def side(name: ImageName, images: Images) -> Side:
    """What a Region has for a name."""
    repository = images.repositories.get(name.repository)
    image = repository.find(name.tag, name.digest) if repository else None
    return Side(alias=images.region, images=images, image=image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An image's name with both sides."""

    name: ImageName
    sides: tuple[Side, ...]
    copies: Copies
    now: datetime

    def findings(self) -> Iterator[Finding]:
        """What is wrong with the image, or one finding that says that it is in parity."""
        wrong = [*self._absent(), *self._incomplete(), *self._tags()]
        yield from wrong or [self._in_parity()]

    def _held(self) -> list[tuple[Side, ImageState]]:
        return [(one, one.image) for one in self.sides if one.image]

    def _absent(self) -> Iterator[Finding]:
        held = self._held()
        if not held:
            act = "Push it to the home Region, or correct the manifest"
            yield finding(self.name, State.MISSING, "is in neither Region's registry", act)
            return
        for one in self.sides:
            if one.image is None:
                yield self._why_absent(one, *held[0])

    def _why_absent(self, lacking: Side, holder: Side, image: ImageState) -> Finding:
        """Why a Region does not have what the other one has."""
        name, where = self.name, lacking.alias
        if lacking.images.repositories.get(name.repository) is None:
            why = f"there is no repository {name.repository} in {where}"
            return finding(name, State.MISSING, why, f"Apply the stack registry of {where}")
        if lacking.find(name.repository, image.digest):
            why = f"{short(image.digest)} is in {where}, but without tag {name.tag}"
            return finding(name, State.UNTAGGED, why, self._retag(lacking))
        return self._copy(lacking, holder, image)

    def _copy(self, lacking: Side, holder: Side, image: ImageState) -> Finding:
        """What became of the copy that `lacking` should have by now."""
        name, push = self.name, f"Push the same digest to {lacking.alias}"
        what = f"{short(image.digest)} is in {holder.alias} but not in {lacking.alias}"
        copy = self.copies(holder.alias, name.repository, image.digest)
        if isinstance(copy, Unknown):
            return finding(name, State.MISSING, f"{what}, and {copy}", push)
        if copy is None:
            act = f"Look at the registry's replication rule; it is not retroactive. {push}"
            return finding(name, State.NOT_REPLICATED, f"{what}; no replication covers it", act)
        if copy.status == "FAILED":
            why = f"{what}; its replication failed: {copy.failure or 'no code given'}"
            return finding(name, State.COPY_FAILED, why, push)
        if copy.status != "IN_PROGRESS":
            why = f"{what}, although ECR says {copy.status}: it was removed there"
            return finding(name, State.MISSING, why, f"Look at the lifecycle policy. {push}")
        return self._in_progress(what, push, image.pushed)

    def _in_progress(self, what: str, push: str, pushed: datetime | None) -> Finding:
        age = self.now - pushed if pushed else timedelta()
        if age > COPY_TAKES:
            why = f"{what}; its replication is in progress since {age // timedelta(minutes=1)} min"
            return finding(self.name, State.COPY_FAILED, why, push)
        why = f"{what}; its replication is in progress"
        return finding(self.name, State.PENDING, why, "Wait: most copies arrive within 30 min")

    def _incomplete(self) -> Iterator[Finding]:
        """Children of an index that a Region lacks; an index alone starts no container."""
        for one, image in self._held():
            if not image.is_index:
                continue
            below = one.images.children.get(image.digest)
            if below is None:
                why = f"the index {short(image.digest)} cannot be read in {one.alias}"
                yield finding(self.name, State.INCOMPLETE, why, f"Push it to {one.alias} again")
            for child in below or ():
                if not one.find(self.name.repository, child):
                    yield self._lacks_child(one, child)

    def _lacks_child(self, lacking: Side, digest: str) -> Finding:
        for one in self.sides:
            image = one.find(self.name.repository, digest)
            if image:
                copied = self._copy(lacking, one, image)
                state = State.PENDING if copied.state == State.PENDING else State.INCOMPLETE
                why = f"a child of its index: {copied.reason}"
                return finding(self.name, state, why, copied.action)
        why = f"its index lists {short(digest)}, which {lacking.alias} does not have"
        act = "Push the image again, with all its platforms"
        return finding(self.name, State.INCOMPLETE, why, act)

    def _tags(self) -> Iterator[Finding]:
        """Both Regions have an image; do they mean the same by its tag?"""
        held = self._held()
        if not self.name.tag or len(held) < len(self.sides):
            return
        if len({image.digest for _, image in held}) > 1:
            each = " and ".join(f"{short(image.digest)} in {one.alias}" for one, image in held)
            act = "Build once, push to one Region, and let replication copy; pin the digest"
            why = f"the tag {self.name.tag} is {each}"
            yield finding(self.name, State.DIVERGED, why, act)
            return
        for one, image in held:
            if self.name.tag not in image.tags:
                yield self._lost_tag(one)

    def _lost_tag(self, one: Side) -> Finding:
        """Pulls by digest still work, but a lifecycle policy may remove what has no tag."""
        tag, repository = self.name.tag, one.images.repositories[self.name.repository]
        moved = repository.tagged(tag) if repository else None
        if moved:
            why = f"in {one.alias} the tag {tag} names {short(moved.digest)}"
            return finding(self.name, State.DIVERGED, why, self._retag(one), Severity.WARN)
        why = f"in {one.alias} the image has lost its tag {tag}"
        return finding(self.name, State.UNTAGGED, why, self._retag(one), Severity.WARN)

    def _retag(self, one: Side) -> str:
        return f"Put the tag {self.name.tag} on that digest in {one.alias} (put-image)"

    def _in_parity(self) -> Finding:
        one, image = self._held()[0]
        below = one.images.children.get(image.digest, ())
        children = f" and {len(below)} children" if below else ""
        why = f"{short(image.digest)}{children} in both Regions"
        return finding(self.name, State.IN_PARITY, why, severity=Severity.OK)
