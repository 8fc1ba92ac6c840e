"""Provisioning against the local Regions: the same code as for AWS, over HTTP."""

import cfn
from platform_pipelines.aws import efs, rds
from platform_pipelines.ledger import connect
from platform_pipelines.ledger_records import Incident, IncidentState
from platform_pipelines.local.world import Outage
from platform_pipelines.provisioning.outcome import Ending
from platform_pipelines.provisioning.plan import plan
from platform_pipelines.provisioning.planned import Action
from tests.provisioning.built import Built


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
        ended = Built(built.world).apply()  # a run of its own, which looks for the ledger
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
