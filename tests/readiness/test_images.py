import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from platform_pipelines.aws import ecr
from platform_pipelines.aws.ecr import CopyState
from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.kube.workloads import TemplateState
from platform_pipelines.readiness import inventory
from platform_pipelines.readiness.finding import Finding, Severity, Unknown
from platform_pipelines.readiness.images import State, parity
from platform_pipelines.readiness.inventory import Images
from platform_pipelines.readiness.references import references
from tests.fakes import session
from tests.fakes.calls import Wire
from tests.fakes.clock import FakeClock
from tests.fakes.ecr import FakeEcr
from tests.readiness.builders import NOW, PLATFORM, ago

HOSTS = {region.alias: PLATFORM.registry_host(region) for region in PLATFORM.regions}
OTHER = {"seoul": "tokyo", "tokyo": "seoul"}
PUSHED = ago(days=1)


@dataclass
class World:
    """Both registries, and what both clusters name."""

    clock: FakeClock
    registries: dict[str, FakeEcr]
    regions: dict[str, AwsRegion]
    named: dict[str, list[str]] = field(default_factory=dict)

    @property
    def seoul(self) -> FakeEcr:
        return self.registries["seoul"]

    @property
    def tokyo(self) -> FakeEcr:
        return self.registries["tokyo"]

    def name(self, image: str) -> None:
        """Both clusters name an image, each from its own registry."""
        for alias, host in HOSTS.items():
            self.named.setdefault(alias, []).append(f"{host}/{image}")

    def images(self) -> dict[str, Images]:
        """The inventories of both Regions."""
        own = {
            alias: references(
                TemplateState(namespace="web", kind="Deployment", name="web", images=(image,))
                for image in self.named.get(alias, [])
            )
            for alias in HOSTS
        }
        wanted = {
            one.name
            for found in own.values()
            for one in found
            if one.registry and one.registry[0] == PLATFORM.account
        }
        return {
            alias: inventory.images(self.regions[alias], self.clock, own[alias], wanted)
            for alias in HOSTS
        }

    def copy_state(self, alias: str, repository: str, digest: str) -> CopyState | None:
        """What ECR says of a copy."""
        destination = PLATFORM.region(OTHER[alias]).name
        return ecr.copy_state(self.regions[alias], repository, digest, destination)

    def parity(self) -> list[Finding]:
        """The check's findings."""
        return parity(PLATFORM, self.images(), self.copy_state, NOW)

    def bad(self) -> Finding:
        """The only finding that is not fine."""
        (found,) = (one for one in self.parity() if one.severity is not Severity.OK)
        return found


@pytest.fixture
def world() -> World:
    """Two empty registries."""
    clock, lock = FakeClock(), threading.RLock()
    log: list[tuple[str, str]] = []
    registries = {alias: FakeEcr(Wire(alias, log, lock)) for alias in HOSTS}
    regions = {
        alias: session.region(PLATFORM, alias, clock, {"ecr": fake})
        for alias, fake in registries.items()
    }
    return World(clock=clock, registries=registries, regions=regions)


def both(world: World, *tags: str) -> str:
    """The same image in both Regions; its digest."""
    world.seoul.push("web", "one", PUSHED, *tags)
    return world.tokyo.push("web", "one", PUSHED, *tags)


def copying(status: str, failure: str | None = None) -> Callable[[World], str]:
    """The image is in Seoul only; ECR says this of its copy."""

    def arrange(world: World) -> str:
        digest = world.seoul.push("web", "one", ago(minutes=5), "1")
        world.tokyo.push("web", "older", PUSHED)
        one = {"region": PLATFORM.region("tokyo").name, "status": status}
        world.seoul.copies[digest] = [one | ({"failureCode": failure} if failure else {})]
        world.name(f"web:1@{digest}")
        return digest

    return arrange


def stuck(world: World) -> None:
    """A copy that takes longer than ECR's copies do."""
    digest = copying("IN_PROGRESS")(world)
    world.seoul.repositories["web"][digest].pushed = ago(minutes=31)


def not_replicated(world: World) -> None:
    """Pushed before there was a replication rule."""
    digest = copying("IN_PROGRESS")(world)
    del world.seoul.copies[digest]


def no_repository(world: World) -> None:
    """Tokyo was never given the repository."""
    world.name(f"web@{world.seoul.push('web', 'one', PUSHED)}")


def nowhere(world: World) -> None:
    """A tag that nobody ever pushed."""
    world.seoul.push("web", "older", PUSHED)
    world.tokyo.push("web", "older", PUSHED)
    world.name("web:2")


def missing_in_active(world: World) -> None:
    """Pushed to the standby only."""
    world.name(f"web@{world.tokyo.push('web', 'one', PUSHED)}")
    world.seoul.push("web", "older", PUSHED)


def diverged(world: World) -> None:
    """Two builds, one tag."""
    world.seoul.push("web", "one", PUSHED, "1")
    world.tokyo.push("web", "two", PUSHED, "1")
    world.name("web:1")


def untagged(world: World) -> None:
    """The copy arrived without its tag, and the manifest pulls by tag."""
    world.seoul.push("web", "one", PUSHED, "1")
    world.tokyo.push("web", "one", PUSHED)
    world.name("web:1")


def lost_tag(world: World) -> None:
    """The copy arrived without its tag; the manifest pulls by digest."""
    world.seoul.push("web", "one", PUSHED, "1")
    world.name(f"web:1@{world.tokyo.push('web', 'one', PUSHED)}")


def moved_tag(world: World) -> None:
    """Somebody moved the tag in Tokyo."""
    digest = both(world, "1")
    world.tokyo.push("web", "two", PUSHED, "1")
    world.name(f"web:1@{digest}")


def index(world: World, *, child_in_tokyo: bool) -> str:
    """An index of two images in both Regions, whose second child Tokyo may lack."""
    for fake in (world.seoul, world.tokyo):
        children = [fake.push("web", platform, PUSHED) for platform in ("amd64", "arm64")]
        digest = fake.push_index("web", children, PUSHED, "1")
    if not child_in_tokyo:
        del world.tokyo.repositories["web"][children[1]]
    world.name(f"web:1@{digest}")
    return children[1]


def lacks_child(world: World) -> None:
    """An index without one of its images, which nobody will copy."""
    index(world, child_in_tokyo=False)


def child_on_its_way(world: World) -> None:
    """An index without one of its images, which is being copied."""
    child = index(world, child_in_tokyo=False)
    world.seoul.repositories["web"][child].pushed = ago(minutes=1)
    region = PLATFORM.region("tokyo").name
    world.seoul.copies[child] = [{"region": region, "status": "IN_PROGRESS"}]


def lacks_child_everywhere(world: World) -> None:
    """An index without one of its images, in both Regions."""
    child = index(world, child_in_tokyo=False)
    del world.seoul.repositories["web"][child]
    world.named["tokyo"].clear()


def wrong_registry(world: World) -> None:
    """Tokyo's overlay names Seoul's registry."""
    digest = both(world, "1")
    world.named = {alias: [f"{HOSTS['seoul']}/web:1@{digest}"] for alias in HOSTS}


def foreign(world: World) -> None:
    """An image from a public registry."""
    world.named["tokyo"] = ["quay.io/argoproj/argocd:v3.5.0"]


WARN, ERROR = Severity.WARN, Severity.ERROR
REASONS: list[tuple[Callable[[World], object], State, Severity, str, str]] = [
    (copying("IN_PROGRESS"), State.PENDING, WARN, "in seoul but not in tokyo", "Wait"),
    (stuck, State.COPY_FAILED, ERROR, "in progress since 31 min", "Push the same digest"),
    (
        copying("FAILED", "AccessDenied"),
        State.COPY_FAILED,
        ERROR,
        "replication failed: AccessDenied",
        "Push the same digest to tokyo",
    ),
    (copying("COMPLETE"), State.MISSING, ERROR, "it was removed there", "lifecycle policy"),
    (not_replicated, State.NOT_REPLICATED, ERROR, "no replication covers it", "not retroactive"),
    (no_repository, State.MISSING, ERROR, "no repository web in tokyo", "Apply the stack registry"),
    (nowhere, State.MISSING, ERROR, "in neither Region's registry", "correct the manifest"),
    (missing_in_active, State.NOT_REPLICATED, ERROR, "in tokyo but not in seoul", "to seoul"),
    (diverged, State.DIVERGED, ERROR, "the tag 1 is sha256:", "Build once"),
    (untagged, State.UNTAGGED, ERROR, "is in tokyo, but without tag 1", "Put the tag 1"),
    (lost_tag, State.UNTAGGED, WARN, "in tokyo the image has lost its tag 1", "Put the tag 1"),
    (moved_tag, State.DIVERGED, WARN, "in tokyo the tag 1 names sha256:", "Put the tag 1"),
    (lacks_child, State.INCOMPLETE, ERROR, "a child of its index", "Push the same digest"),
    (child_on_its_way, State.PENDING, WARN, "a child of its index", "Wait"),
    (wrong_registry, State.WRONG_REGISTRY, ERROR, "names another Region's registry", "overlay"),
    (foreign, State.FOREIGN, WARN, "comes from outside ECR", "and name that"),
]


@pytest.mark.parametrize(
    ("arrange", "state", "severity", "reason", "action"),
    REASONS,
    ids=[f"{n}-{row[1]}" for n, row in enumerate(REASONS)],
)
def test_a_reason_against_parity(
    world: World,
    arrange: Callable[[World], object],
    state: State,
    severity: Severity,
    reason: str,
    action: str,
) -> None:
    """The registries differ in one way, and exactly that is said, with what to do."""
    arrange(world)
    found = world.bad()
    assert (found.state, found.severity) == (state, severity), found
    assert reason in found.reason, found
    assert action in found.action, found


def test_a_child_that_is_nowhere_is_named_in_both_regions(world: World) -> None:
    """An index whose child was never pushed starts nowhere."""
    lacks_child_everywhere(world)
    bad = [one for one in world.parity() if one.severity is Severity.ERROR]
    assert {one.state for one in bad} == {State.INCOMPLETE}
    assert all("with all its platforms" in one.action for one in bad)
    assert [alias for alias in HOSTS if any(alias in one.reason for one in bad)] == list(HOSTS)


def test_the_same_index_with_all_children_is_in_parity(world: World) -> None:
    """Nothing else of the repository matters."""
    index(world, child_in_tokyo=True)
    world.seoul.push("web", "a build that nobody runs", PUSHED)
    (found,) = world.parity()
    assert (found.state, found.severity, found.action) == (State.IN_PARITY, Severity.OK, "")
    assert "and 2 children in both Regions" in found.reason


def test_a_tag_that_means_the_same_in_both_regions_is_in_parity(world: World) -> None:
    """Pulling by tag is no sin as long as both tags name the same digest."""
    both(world, "1")
    world.name("web:1")
    assert [one.state for one in world.parity()] == [State.IN_PARITY]


def test_aws_own_add_ons_are_fine_from_their_regional_registry(world: World) -> None:
    """Another account's registry of the same Region is not ours to compare."""
    both(world, "1")
    world.name("web:1")
    world.named["tokyo"].append("602401143452.dkr.ecr.ap-northeast-1.amazonaws.com/eks/coredns:v1")
    assert [one.state for one in world.parity()] == [State.IN_PARITY]


@pytest.mark.parametrize("dark", ["seoul", "tokyo"])
def test_a_region_that_cannot_be_read_is_an_error(world: World, dark: str) -> None:
    """Unknown image parity makes the verdict red."""
    both(world, "1")
    world.name("web:1")
    inventories: dict[str, Images | Unknown] = {**world.images()}
    inventories[dark] = Unknown(region=dark, what="ecr_images", reason="timed out")
    (found,) = parity(PLATFORM, inventories, world.copy_state, NOW)
    assert (found.subject, found.state, found.severity) == (dark, State.UNKNOWN, Severity.ERROR)


def test_no_image_at_all_is_unknown(world: World) -> None:
    """Empty clusters prove nothing."""
    (found,) = world.parity()
    assert (found.state, found.severity) == (State.UNKNOWN, Severity.ERROR)


def test_a_copy_that_nobody_can_explain_is_missing(world: World) -> None:
    """The source Region may be too dark to say what became of a copy."""
    copying("IN_PROGRESS")(world)
    lost = Unknown(region="seoul", what="replication", reason="timed out")
    (found,) = parity(PLATFORM, world.images(), lambda *_: lost, NOW)
    assert (found.state, found.severity) == (State.MISSING, Severity.ERROR)
    assert "timed out" in found.reason


def test_large_repositories_are_read_page_by_page(world: World) -> None:
    """Every image is seen whatever a page holds, and each index once."""
    for fake in (world.seoul, world.tokyo):
        fake.page = 10
        indexes = []
        for n in range(120):
            child = fake.push("web", f"image {n}", PUSHED)
            indexes.append(fake.push_index("web", [child], PUSHED, f"v{n}"))
    for digest in indexes:
        world.name(f"web@{digest}")
    assert {one.state for one in world.parity()} == {State.IN_PARITY}
    calls = [name for alias, name in world.seoul.wire.log if alias == "seoul"]
    assert calls.count("DescribeImages") == 24
    assert calls.count("BatchGetImage") == 2


def test_a_copy_takes_half_an_hour_at_most(world: World) -> None:
    """The limit is ECR's own word for most images."""
    digest = copying("IN_PROGRESS")(world)
    world.seoul.repositories["web"][digest].pushed = NOW - timedelta(minutes=30)
    assert world.bad().state == State.PENDING
