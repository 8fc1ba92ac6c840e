from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from platform_pipelines.kube.argocd import parse
from platform_pipelines.readiness.finding import Finding, Severity, Unknown
from platform_pipelines.readiness.gitops import Gitops, parity
from platform_pipelines.readiness.gitops_pair import State, repository
from platform_pipelines.readiness.inventory import NodeGroups
from tests.readiness import argocd_statuses as shapes
from tests.readiness.builders import PLATFORM, ROLES, node_groups, pod

Json = dict[str, Any]
Change = Callable[[Json], object]
WAITING = node_groups((pod("web-1"), pod("web-2")), web=0)
DARK = Unknown(region="tokyo", what="node_groups", reason="the Region does not answer")


def judge(
    active: Json, standby: Json, nodes: NodeGroups | Unknown = WAITING, *, known: bool = True
) -> Finding:
    """The finding on one Application of both Regions."""
    sides = {
        "seoul": Gitops(applications=(parse(active),), nodes=node_groups(web=6)),
        "tokyo": Gitops(applications=(parse(standby),), nodes=nodes),
    }
    (found,) = parity(PLATFORM, ROLES if known else None, sides, shapes.NOW)
    return found


@pytest.mark.parametrize(
    ("active", "standby", "state", "reason"),
    [
        (shapes.primary(), shapes.primary(), State.IN_PARITY, "both are Synced to c91d"),
        (shapes.primary(), shapes.standby(), State.IN_PARITY, "both are Synced to c91d"),
        (
            shapes.primary(),
            shapes.synced_degraded(),
            State.STANDBY_EXPECTED,
            "2 pods wait for node groups that are at 0",
        ),
        (shapes.primary(), shapes.standby_behind(), State.UNKNOWN, "tokyo is stale"),
        (shapes.primary(), shapes.comparison_error(), State.UNKNOWN, "ComparisonError"),
        (shapes.chart_in_sync(), shapes.multi_source_helm(), State.DRIFTED, "tokyo is OutOfSync"),
        (shapes.chart_in_sync(), shapes.chart_in_sync(), State.IN_PARITY, "3.5.0+c91d"),
    ],
    ids=[
        "primary-against-itself",
        "twins",
        "synced-degraded",
        "standby-behind",
        "comparison-error",
        "multi-source-helm",
        "chart-against-itself",
    ],
)
def test_the_shapes_that_people_met(active: Json, standby: Json, state: State, reason: str) -> None:
    """Each known shape of a standby gets the state that an experienced person would give it."""
    found = judge(active, standby)
    assert (found.state, reason in found.reason) == (state, True), found


def status(path: str, value: Any) -> Change:
    """A change to one field, by its path."""

    def change(application: Json) -> None:
        *parents, last = path.split(".")
        place = application
        for parent in parents:
            place = place[parent]
        place[last] = value

    return change


REASONS: list[tuple[str, Change, State, str]] = [
    (
        "another repository",
        status("spec.source.repoURL", "https://git.example/other.git"),
        State.DRIFTED,
        "the sources differ",
    ),
    ("another branch", status("spec.source.targetRevision", "next"), State.DRIFTED, "at next"),
    ("another path", status("spec.source.path", "apps/old/tokyo"), State.DRIFTED, "apps/old/tokyo"),
    (
        "a new spec that was not compared yet",
        status("status.sync.comparedTo", {}),
        State.CONVERGING,
        "has not compared its present source",
    ),
    ("out of sync", status("status.sync.status", "OutOfSync"), State.DRIFTED, "tokyo is OutOfSync"),
    ("never compared", status("status.sync", {}), State.UNKNOWN, "sync status absent"),
    ("never reconciled", status("status.reconciledAt", None), State.UNKNOWN, "never reconciled"),
    (
        "a wedged controller",
        status("status.reconciledAt", "2026-11-22T13:54:29Z"),
        State.UNKNOWN,
        "tokyo is stale: last reconciled 2026-11-22 13:54:29Z",
    ),
    (
        "an error condition",
        status("status.conditions", [{"type": "OrphanedResourceError", "message": "boom"}]),
        State.DRIFTED,
        "OrphanedResourceError: boom",
    ),
    (
        "a failed operation",
        status("status.operationState", {"phase": "Error", "message": "no rights"}),
        State.DRIFTED,
        "the last operation of tokyo Error: no rights",
    ),
    (
        "a running operation",
        status("status.operationState", {"phase": "Running"}),
        State.CONVERGING,
        "tokyo is syncing",
    ),
    (
        "another image",
        status("status.summary.images", ["1.dkr.ecr.ap-northeast-1.amazonaws.com/web:1.4.1"]),
        State.DRIFTED,
        "web:1.4.1 only in tokyo",
    ),
    (
        "a missing workload",
        status("status.health", {"status": "Missing"}),
        State.DRIFTED,
        "Missing",
    ),
    ("health unknown", status("status.health", {"status": "Unknown"}), State.UNKNOWN, "Unknown"),
    ("no health", status("status.health", {}), State.UNKNOWN, "of no known health"),
]


@pytest.mark.parametrize(
    ("change", "state", "reason"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS]
)
def test_a_reason_against_parity(change: Change, state: State, reason: str) -> None:
    """The standby differs in one thing, and exactly that is said."""
    standby = shapes.standby()
    change(standby)
    found = judge(shapes.primary(), standby)
    assert (found.state, reason in found.reason) == (state, True), found
    assert found.action


def revision(application: Json, text: str, deployed: str | None, reconciled: str) -> Json:
    """An Application at a commit that it rolled out at a time, if it had to."""
    changed = deepcopy(application)
    changed["status"]["sync"]["revision"] = text
    changed["status"]["reconciledAt"] = reconciled
    rolled = [{"revision": text, "deployedAt": deployed}] if deployed else []
    changed["status"]["history"] = [{"revision": ROOT, "deployedAt": EARLY}, *rolled]
    return changed


ROOT, EARLY = "0" * 40, "2026-11-01T00:00:00Z"


@pytest.mark.parametrize(
    ("active", "standby", "state", "reason"),
    [
        (
            (shapes.NEW, "2026-11-22T13:59:00Z", "2026-11-22T14:00:10Z"),
            (shapes.OLD, None, "2026-11-22T13:58:00Z"),
            State.CONVERGING,
            "seoul is at c91dc91, tokyo at 7e427e4",
        ),
        (
            (shapes.NEW, "2026-11-22T13:59:00Z", "2026-11-22T14:00:10Z"),
            (shapes.OLD, None, "2026-11-22T14:00:00Z"),
            State.DRIFTED,
            "deployed 2026-11-22 13:59:00Z",
        ),
        (
            (shapes.OLD, None, "2026-11-22T13:58:00Z"),
            (shapes.NEW, "2026-11-22T13:59:00Z", "2026-11-22T14:00:10Z"),
            State.DRIFTED,
            "the standby leads",
        ),
        (
            (shapes.NEW, None, "2026-11-22T14:00:10Z"),
            (shapes.OLD, None, "2026-11-22T14:00:00Z"),
            State.CONVERGING,
            "seoul is at c91dc91",
        ),
    ],
    ids=[
        "the standby has not looked since",
        "the standby looked since and stayed behind",
        "the standby leads",
        "nobody rolled anything out",
    ],
)
def test_a_newer_commit_on_one_side(
    active: tuple[str, str | None, str],
    standby: tuple[str, str | None, str],
    state: State,
    reason: str,
) -> None:
    """It converges until both have reconciled after it; the standby may trail, never lead."""
    one = revision(shapes.primary(), *active)
    other = revision(shapes.standby(), *standby)
    found = judge(one, other)
    assert (found.state, reason in found.reason) == (state, True), found


def test_the_last_commit_that_changed_something_does_not_matter() -> None:
    """`syncResult` differs whenever one side had nothing to change; only `status.sync` counts."""
    standby = shapes.standby()
    standby["status"]["operationState"]["syncResult"]["revision"] = shapes.OLD
    assert judge(shapes.primary(), standby).state == State.IN_PARITY


@pytest.mark.parametrize(
    ("nodes", "state", "reason"),
    [
        (WAITING, State.STANDBY_EXPECTED, "2 pods wait"),
        (node_groups((pod("web-1"),), web=6), State.DRIFTED, "web-1 is unready for another reason"),
        (
            node_groups((pod("web-1"),), nodes=1, web=0),
            State.DRIFTED,
            "web-1 is unready for another reason",
        ),
        (
            node_groups((pod("web-1"), pod("web-2", unschedulable=False)), web=0),
            State.DRIFTED,
            "web-2 is unready for another reason",
        ),
        (node_groups((), web=0), State.DRIFTED, "no pod waits for a node"),
        (node_groups((pod("x", namespace="other"),), web=0), State.DRIFTED, "no pod waits"),
        (DARK, State.UNKNOWN, "the Region does not answer"),
    ],
    ids=[
        "zero nodes",
        "nodes wanted",
        "a node is still there",
        "a pod that is broken",
        "no pods at all",
        "pods of somebody else",
        "nobody can look",
    ],
)
def test_a_degraded_standby_is_excused_only_by_missing_nodes(
    nodes: NodeGroups | Unknown, state: State, reason: str
) -> None:
    """A broken image must not hide behind the Degraded that is expected without nodes."""
    found = judge(shapes.primary(), shapes.synced_degraded(), nodes)
    assert (found.state, reason in found.reason) == (state, True), found


def test_a_degraded_active_side_is_never_excused() -> None:
    """Whatever its pods wait for."""
    active = shapes.primary()
    active["status"]["health"] = {"status": "Degraded"}
    found = judge(active, shapes.standby())
    assert (found.state, found.severity) == (State.DRIFTED, Severity.ERROR)


def test_without_roles_nobody_is_excused() -> None:
    """If nobody knows which side is standby, Degraded is Degraded."""
    found = judge(shapes.primary(), shapes.synced_degraded(), known=False)
    assert found.state == State.DRIFTED


def test_an_application_of_one_region_only_is_named() -> None:
    """Both sets must be the same."""
    sides = {
        "seoul": Gitops(
            applications=(parse(shapes.primary()), parse(shapes.chart_in_sync())), nodes=WAITING
        ),
        "tokyo": Gitops(applications=(parse(shapes.standby()),), nodes=WAITING),
    }
    found = {one.subject: one for one in parity(PLATFORM, ROLES, sides, shapes.NOW)}
    assert found["argocd/web"].state == State.IN_PARITY
    missing = found["argocd/aws-load-balancer-controller"]
    assert (missing.state, missing.reason) == (State.DRIFTED, "is in seoul only")


@pytest.mark.parametrize("dark", ["seoul", "tokyo"])
def test_a_region_that_cannot_be_read_is_unknown(dark: str) -> None:
    """Not drifted, not in parity, and amber in the verdict."""
    lost = Unknown(region=dark, what="argocd_applications", reason="timed out")
    known = Gitops(applications=(parse(shapes.primary()),), nodes=WAITING)
    sides = dict.fromkeys(("seoul", "tokyo"), known)
    sides[dark] = Gitops(applications=lost, nodes=WAITING)
    (found,) = parity(PLATFORM, ROLES, sides, shapes.NOW)
    assert (found.subject, found.state, found.severity) == (dark, State.UNKNOWN, Severity.WARN)


def test_no_application_anywhere_is_unknown() -> None:
    """Two empty clusters are not in parity: nothing was proven."""
    empty = Gitops(applications=(), nodes=WAITING)
    (found,) = parity(PLATFORM, ROLES, {"seoul": empty, "tokyo": empty}, shapes.NOW)
    assert found.state == State.UNKNOWN


@pytest.mark.parametrize(
    "url",
    [
        "https://git.example/team/platform.git",
        "https://GIT.example/team/platform/",
        "git@git.example:team/platform.git",
        "ssh://git@git.example/team/platform",
        "https://robot:secret@git.example/team/platform",
    ],
)
def test_one_repository_has_many_urls(url: str) -> None:
    """Scheme, user, suffix and the host's letter case do not matter."""
    assert repository(url) == "git.example/team/platform"
