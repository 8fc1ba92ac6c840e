"""The rules by which two Applications, one in each Region's own Argo CD, are in parity.

Each rule looks at a pair and yields what it holds against parity; none yields anything when it is
satisfied. They are independent of each other: `gitops` ranks what they say.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from platform_pipelines.kube.argocd import Source
from platform_pipelines.model import Region
from platform_pipelines.readiness.gitops_health import healthy
from platform_pipelines.readiness.gitops_pair import (
    Objection,
    Pair,
    Side,
    State,
    neutral,
    repository,
)
from platform_pipelines.readiness.references import parse as parse_image

BROKEN = ("Failed", "Error")


Rule = Callable[[Pair], Iterator[Objection]]


def _shape(sources: tuple[Source, ...], regions: tuple[Region, ...]) -> list[tuple[str, ...]]:
    return [
        (repository(one.repository), neutral(one.path, *regions), one.chart, one.target, one.ref)
        for one in sources
    ]


def same_source(pair: Pair) -> Iterator[Objection]:
    """Rule 1: the same repository, revision, chart and, but for the overlay, path."""
    regions = tuple(side.region for side in pair.sides)
    one, other = (_shape(side.application.sources, regions) for side in pair.sides)
    if one != other:
        texts = " against ".join(_describe(side) for side in pair.sides)
        yield Objection(state=State.DRIFTED, reason=f"the sources differ: {texts}")


def _describe(side: Side) -> str:
    sources = ", ".join(
        f"{one.repository} {one.chart or one.path} at {one.target}"
        for one in side.application.sources
    )
    return f"{sources or 'none'} in {side.region.alias}"


def compared_to_spec(pair: Pair) -> Iterator[Objection]:
    """Rule 1: what Argo CD compared is what the Application asks for by now."""
    for side in pair.sides:
        if side.application.compared != side.application.sources:
            reason = f"{side.region.alias} has not compared its present source yet"
            yield Objection(state=State.CONVERGING, reason=reason)


def synced(pair: Pair) -> Iterator[Objection]:
    """Rule 2: Synced on both sides; Unknown is never parity."""
    for side in pair.sides:
        sync = side.application.sync
        if sync == "OutOfSync":
            running = side.application.phase == "Running"
            state = State.CONVERGING if running else State.DRIFTED
            yield Objection(state=state, reason=f"{side.region.alias} is OutOfSync")
        elif sync != "Synced":
            why = "; ".join(side.application.errors) or f"sync status {sync or 'absent'}"
            yield Objection(state=State.UNKNOWN, reason=f"{side.region.alias} cannot tell: {why}")


def fresh(pair: Pair) -> Iterator[Objection]:
    """Rule 4: a wedged controller shows an old Synced."""
    for side in pair.sides:
        at = side.application.reconciled
        alias, notes = side.region.alias, _notes(side)
        if at is None:
            reason = f"{alias} has never reconciled{notes}"
            yield Objection(state=State.UNKNOWN, reason=reason)
        elif pair.now - at > pair.fresh:
            reason = f"{alias} is stale: last reconciled {at:%Y-%m-%d %H:%M:%SZ}{notes}"
            yield Objection(state=State.UNKNOWN, reason=reason)


def _notes(side: Side) -> str:
    notes = side.application.notes
    return f" ({', '.join(notes)})" if notes else ""


def same_revision(pair: Pair) -> Iterator[Objection]:
    """Rules 3 and 4: equal revisions, position by position; a newer commit that one side has not
    seen yet is converging, and drift once the other reconciled after it."""
    one, other = (side.application.revisions for side in pair.sides)
    if one and one == other:
        return
    if not one or not other:
        aliases = " and ".join(s.region.alias for s in pair.sides if not s.application.revisions)
        yield Objection(state=State.UNKNOWN, reason=f"{aliases} names no revision")
        return
    ahead, since = _ahead(pair)
    behind = next(side for side in pair.sides if side is not ahead)
    what = f"{ahead.region.alias} is at {_brief(ahead)}, {behind.region.alias} at {_brief(behind)}"
    if since is None:
        yield Objection(state=State.CONVERGING, reason=what)
    elif pair.roles_known and ahead is pair.standby:
        yield Objection(state=State.DRIFTED, reason=f"the standby leads: {what}")
    else:
        reconciled = behind.application.reconciled
        late = reconciled is not None and reconciled > since
        state = State.DRIFTED if late else State.CONVERGING
        yield Objection(state=state, reason=f"{what}, deployed {since:%Y-%m-%d %H:%M:%SZ}")


def _ahead(pair: Pair) -> tuple[Side, datetime | None]:
    """The side with the newer commit, and since when it is known to have it. Without a rollout to
    date it by, whoever looked last is taken to be ahead, and nothing is known to be late."""
    for side, other in (pair.sides, pair.sides[::-1]):
        known = side.application.history
        mine, theirs = side.application.revisions, other.application.revisions
        if any(one.revisions == theirs for one in known) and known[-1].revisions == mine:
            return side, known[-1].at
    dated = {side.region.alias: _deployed(side) for side in pair.sides}
    found = {alias: at for alias, at in dated.items() if at}
    if found:
        alias = max(found, key=lambda one: found[one])
        return next(side for side in pair.sides if side.region.alias == alias), found[alias]
    oldest = datetime.min.replace(tzinfo=pair.now.tzinfo)
    return max(pair.sides, key=lambda side: side.application.reconciled or oldest), None


def _deployed(side: Side) -> datetime | None:
    """When a side rolled out the revisions that it has now."""
    times = (
        one.at for one in side.application.history if one.revisions == side.application.revisions
    )
    return max((at for at in times if at), default=None)


def _brief(side: Side) -> str:
    return "+".join(revision[:7] for revision in side.application.revisions)


def operations_succeed(pair: Pair) -> Iterator[Objection]:
    """Rule 5: no error conditions, and the last operation did not fail."""
    for side in pair.sides:
        state, alias = side.application, side.region.alias
        if state.errors and state.sync == "Synced":
            yield Objection(state=State.DRIFTED, reason=f"{alias}: {'; '.join(state.errors)}")
        if state.phase in BROKEN:
            reason = f"the last operation of {alias} {state.phase}: {state.phase_message}"
            yield Objection(state=State.DRIFTED, reason=reason)
        elif state.phase == "Running":
            yield Objection(state=State.CONVERGING, reason=f"{alias} is syncing")


def same_images(pair: Pair) -> Iterator[Objection]:
    """Rule 6: the same images, whatever the registry's host."""
    one, other = (
        {str(parse_image(image)[1]) for image in side.application.images} for side in pair.sides
    )
    if one and other and one != other:
        texts = (
            f"{', '.join(sorted(mine - theirs)) or 'nothing more'} only in {side.region.alias}"
            for side, mine, theirs in zip(pair.sides, (one, other), (other, one), strict=True)
        )
        yield Objection(state=State.DRIFTED, reason=f"the images differ: {'; '.join(texts)}")


RULES: tuple[Rule, ...] = (
    synced,
    fresh,
    same_source,
    compared_to_spec,
    same_revision,
    operations_succeed,
    same_images,
    healthy,
)
