"""Provisioning against the local Regions: the same code as for AWS, over HTTP."""

import threading
from collections.abc import Iterator
from functools import partial

import pytest

import cfn
from platform_pipelines.aws import efs, eks, rds
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.ledger import Ledger, connect
from platform_pipelines.ledger_records import Incident, IncidentState
from platform_pipelines.local.world import Outage
from platform_pipelines.provisioning import node_counts, serving
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.converge import Converged, converge
from platform_pipelines.provisioning.outcome import Ending, Outcome
from platform_pipelines.provisioning.plan import plan
from platform_pipelines.provisioning.planned import Action
from platform_pipelines.provisioning.run import Run
from tests import local_world
from tests.local_world import LocalWorld


class Built:
    """A local world and the product's view of it."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.platform = world.platform
        self.settings = environments.from_environment(self.platform, world.environment())
        self.aws = Aws(self.platform, self.settings)
        self.told: list[str] = []
        self.ledger: Ledger | None = None

    def find_ledger(self) -> Ledger:
        """The ledger, found once it is there, as the Dagster resource does."""
        self.ledger = self.ledger or connect(self.aws)
        return self.ledger

    def run(self) -> Run:
        return Run(
            platform=self.platform,
            regions=self.aws,
            ledger=self.find_ledger,
            clock=self.settings.clock,
            stop=threading.Event(),
            tell=self.told.append,
        )

    def apply(self) -> dict[str, Outcome]:
        ended: list[Outcome] = []
        apply(self.run(), cfn.units(self.platform), ended.append)
        return {"/".join(one.key): one for one in ended}

    def converge(self) -> Converged:
        run = self.run()
        why_not = partial(serving.why_not, self.platform, self.settings)
        return converge(run, partial(node_counts.ready_nodes, run), why_not)

    def desired(self, alias: str) -> dict[str, int]:
        region = self.aws[alias]
        groups = eks.node_groups(region, self.platform.cluster_name(region.region))
        return {one.name: one.desired for one in groups}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """A world of this module, with everything applied: its tests follow one another, as the acts
    of a user do."""
    with local_world.start(tmp_path_factory.mktemp("provisioning"), speed=200) as world:
        made = Built(world)
        failed = {key: one.reason for key, one in made.apply().items() if not one.ending.good}
        assert failed == {}
        yield made


def test_applying_writes_the_roles(built: Built) -> None:
    """Home is active, and the ledger can be read."""
    roles = connect(built.aws).roles()
    assert roles is not None
    assert (roles.active, roles.standby, roles.epoch) == ("seoul", "tokyo", 1)


def test_applying_again_has_nothing_to_do(built: Built) -> None:
    """Every change set is empty."""
    assert {key: one.ending for key, one in built.apply().items()} == {
        "/".join(unit.key): Ending.UNCHANGED for unit in cfn.units(built.platform)
    }


def test_the_plan_of_what_is_there_is_empty(built: Built) -> None:
    """And asking for it changes nothing."""
    found = plan(built.run(), cfn.units(built.platform))
    assert {one.action for one in found.units} == {Action.NOTHING}


def test_converging_brings_the_roles(built: Built) -> None:
    """Files replicate from Seoul to Tokyo, and the nodes are where the ledger wants them."""
    built.converge()
    assert built.desired("seoul") == {"manage": 3, "web": 6, "app": 6}
    assert built.desired("tokyo") == {"manage": 3, "web": 0, "app": 0}
    (files,) = efs.describe(built.aws["tokyo"])
    assert files.receives
    assert files.replication is not None
    assert files.replication.last_replicated is not None
    database = built.platform.global_cluster_id(built.platform.databases[0])
    state = rds.describe_global(built.aws["tokyo"], database)
    assert state is not None
    assert state.writer is not None
    assert state.writer.region == "ap-northeast-2"


def test_converging_again_touches_nothing(built: Built) -> None:
    """Nothing differs any more."""
    assert built.converge().changed == ()


def test_a_dark_region_in_quiet_times_fails_its_stacks(built: Built) -> None:
    """The other Region's are looked at all the same."""
    built.world.control.black_out("tokyo", Outage.REFUSE)
    try:
        ended = built.apply()
    finally:
        built.world.control.restore("tokyo")
    assert ended["seoul/network"].ending is Ending.UNCHANGED
    assert ended["tokyo/network"].ending is Ending.FAILED
    assert "tokyo does not answer" in ended["tokyo/network"].reason


def _fail_over(built: Built) -> None:
    """What a failover to Tokyo leaves in the ledger."""
    ledger = built.ledger = connect(built.aws)
    now = built.settings.clock.now()
    incident = Incident(
        id="inc-1-20261122T030000Z",
        state=IncidentState.PROPOSED,
        epoch=1,
        target="tokyo",
        strategy="sequence",
        t0=now,
        proposed_at=now,
        reason="a test",
    )
    ledger.propose(incident, replaces=None)
    opened = ledger.change_incident(incident, state=IncidentState.OPEN)
    ledger.change_roles(opened)
    ledger.change_incident(opened, state=IncidentState.SETTLED)


def test_after_a_failover_apply_changes_nothing_and_needs_no_answer_from_seoul(
    built: Built,
) -> None:
    """Seoul is dark: its stacks are left alone, and every changing call goes to Tokyo."""
    built.world.control.black_out("seoul", Outage.HANG)
    _fail_over(built)
    before = sum(1 for _ in built.world.control.calls())
    endings = {key: one.ending for key, one in built.apply().items()}
    assert endings["seoul/network"] is Ending.SETTLED
    assert endings["seoul/dns"] is Ending.UNREACHABLE
    assert endings["tokyo/files"] is Ending.UNCHANGED
    assert Ending.FAILED not in endings.values()
    calls = list(built.world.control.calls())[before:]
    assert not [call for call in calls if call.region == "ap-northeast-2" and call.outcome == "ok"]
    assert {call.operation for call in calls if call.changing} <= {
        "CreateChangeSet",
        "DeleteChangeSet",
    }
