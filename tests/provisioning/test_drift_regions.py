"""Drift against the local Regions: real changes by hand, found over HTTP as AWS would tell them."""

from collections.abc import Iterator

import pytest

import cfn
from platform_pipelines.aws import settings as environments
from platform_pipelines.aws.region import Aws
from platform_pipelines.ledger import Ledger, connect
from platform_pipelines.local.world import Outage
from platform_pipelines.provisioning import drift
from platform_pipelines.provisioning.apply import apply
from platform_pipelines.provisioning.drift import State, UnitDrift
from platform_pipelines.provisioning.run import Run
from tests import local_world
from tests.local_world import LocalWorld

STACKS = ("ledger", "keys", "traffic")


class Watched:
    """A local world with a few stacks, and the product's view of it."""

    def __init__(self, world: LocalWorld) -> None:
        self.world = world
        self.platform = world.platform
        settings = environments.from_environment(self.platform, world.environment())
        self.aws = Aws(self.platform, settings)
        self.units = [one for one in cfn.units(self.platform) if one.stack.name in STACKS]
        self.told: list[str] = []
        self.clock = settings.clock
        self.known: Ledger | None = None

    def ledger(self) -> Ledger:
        """Through the standby's Region, as soon as there is one."""
        self.known = self.known or connect(self.aws)
        return self.known

    def run(self) -> Run:
        return Run(
            platform=self.platform,
            regions=self.aws,
            ledger=self.ledger,
            clock=self.clock,
            tell=self.told.append,
        )

    def look(self) -> dict[str, UnitDrift]:
        found: list[UnitDrift] = []
        drift.detect(self.run(), self.units, found.append)
        return {"/".join(one.key): one for one in found}


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The stacks are applied; each test puts back what it changes."""
    with local_world.start(tmp_path_factory.mktemp("drift"), speed=200) as world:
        made = Watched(world)
        failed = [
            str(one) for one in apply(made.run(), made.units, lambda _: None) if not one.ending.good
        ]
        assert failed == []
        made.known = None  # now the standby's answers
        yield made


def test_what_was_applied_is_in_sync_and_nothing_is_written(watched: Watched) -> None:
    """Protection and policies, too; a look's calls change nothing."""
    before = sum(1 for _ in watched.world.control.calls())
    assert {one.state for one in watched.look().values()} == {State.IN_SYNC}
    calls = list(watched.world.control.calls())[before:]
    assert {one.operation for one in calls if one.changing} <= {"DetectStackDrift"}
    assert all(one.outcome == "ok" for one in calls)


def test_a_change_by_hand_is_found(watched: Watched) -> None:
    """Somebody turns the rotation of a key off; the other Region's stays in sync."""
    (key,) = (
        one["PhysicalResourceId"]
        for one in watched.world.aws("cloudformation", "tokyo").describe_stack_resources(
            StackName=watched.platform.stack_name("keys")
        )["StackResources"]
        if one["ResourceType"] == "AWS::KMS::Key"
    )
    kms = watched.world.aws("kms", "tokyo")
    kms.disable_key_rotation(KeyId=key)
    try:
        found = watched.look()
    finally:
        kms.enable_key_rotation(KeyId=key)
    assert found["seoul/keys"].state is State.IN_SYNC
    assert found["tokyo/keys"].state is State.DRIFTED
    assert "/EnableKeyRotation: true → false" in str(found["tokyo/keys"])


def test_a_bucket_that_somebody_deleted_is_found(watched: Watched) -> None:
    """One of Seoul, which no later test asks about: it stays gone."""
    bucket = watched.platform.traffic_bucket(watched.platform.region("seoul"))
    watched.world.aws("s3", "seoul").delete_bucket(Bucket=bucket)
    found = watched.look()["seoul/traffic"]
    assert found.state is State.DRIFTED
    assert f"{bucket} does not exist any more" in str(found)


def test_lifted_protection_is_found(watched: Watched) -> None:
    """Termination protection and stack policy, each with the command that sets it again."""
    stack = watched.platform.stack_name("keys")
    client = watched.world.aws("cloudformation", "tokyo")
    client.update_termination_protection(StackName=stack, EnableTerminationProtection=False)
    allow = '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"Update:*","Resource":"*"}]}'
    client.set_stack_policy(StackName=stack, StackPolicyBody=allow)
    text = str(watched.look()["tokyo/keys"])
    assert "aws cloudformation update-termination-protection" in text
    assert "its stack policy is not ours" in text


def test_a_dark_region_is_unknown(watched: Watched) -> None:
    """The ledger is asked through the other one, which is compared as usual."""
    watched.world.control.black_out("seoul", Outage.REFUSE)
    try:
        found = watched.look()
    finally:
        watched.world.control.restore("seoul")
    assert found["seoul/ledger"].state is State.UNKNOWN
    assert found["seoul/keys"].state is State.UNKNOWN
    assert "seoul does not answer" in str(found["seoul/keys"])
    assert found["tokyo/traffic"].state is State.IN_SYNC
