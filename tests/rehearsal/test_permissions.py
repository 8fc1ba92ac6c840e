"""Dagster's own policies beside what the product does: all of it is allowed, and nothing else.

A whole rehearsal in virtual time (build, readiness, the loss of home, an apply after it) is evaluated
against the policies as IAM would; the source is read for the other direction.
"""

import dataclasses
import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cfnlint.data import AdditionalSpecs

import cfn
from cfn import policies
from cfn.duties import JOBS, SENSOR, Role
from cfn.operations import FREE, OPERATIONS
from platform_pipelines import ledger_records
from platform_pipelines.ledger_records import Colour
from platform_pipelines.model import Platform, Region
from tests import aws_calls, permissions
from tests.cfn import platforms
from tests.permissions import Needed, Recorded
from tests.rehearsal.built import Built, log, watching
from tests.rehearsal.virtual import Rehearsal

PLATFORM = platforms.of_the_repository()
SENSING = "sensor"
# Where the work of each role begins; what these modules can reach is the most that a role may need.
ROOTS: Mapping[Role, tuple[tuple[str, ...], tuple[str, ...]]] = {
    Role.READINESS: (
        (
            "platform_pipelines.readiness",
            "platform_pipelines.resources",
            "platform_pipelines.provisioning.drift",
        ),
        (),
    ),
    Role.APPLY: (("platform_pipelines.provisioning", "platform_pipelines.resources"), ()),
    Role.FAILOVER: (
        ("platform_pipelines.failover", "platform_pipelines.resources"),
        ("platform_pipelines.failover.heartbeat",),
    ),
    Role.HEARTBEAT: (("platform_pipelines.failover.heartbeat",), ()),
}
# Jobs that a rehearsal without trouble has no use for.
BY_HAND = {"approve_failover", "recover_stack"}
# Kubernetes has rights of its own, and the services none.
LOG_OF_OTHERS = ("kubernetes", "http")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a rehearsal left behind."""

    calls: list[Recorded]  # of the product
    log: list[dict[str, Any]]  # of the local Regions, without Kubernetes and HTTP
    answered: set[str]  # the request ids that any client of this process got
    tags: dict[str, dict[str, str]]  # of the file systems, by id


@pytest.fixture(scope="module")
def seen(platform: Built, tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Build, readiness, a plan, a look for drift, the loss of home, and an apply after it."""
    world = platform.again()
    before = len(log(world))
    folder = tmp_path_factory.mktemp("permissions")
    with watching(world, folder, doing=SENSING) as (made, recorder):
        tags = _file_systems(made)
        for job in ("plan_infrastructure", "detect_drift"):
            made.run(job)
        made.lose_home()
        made.run("apply_infrastructure")
        lines = [json.loads(line) for line in platform.log + log(world)[before:]]
    return Seen(
        calls=[one for one in platform.recorder.calls + recorder.calls if one.of_product],
        log=[one for one in lines if one["service"] not in LOG_OF_OTHERS],
        answered=platform.recorder.answered | recorder.answered,
        tags=tags,
    )


def test_every_call_of_a_rehearsal_is_allowed_to_its_role(seen: Seen) -> None:
    """Each call has all that AWS asks for, from the policy of the role whose job made it."""
    refused = {
        (role, call.doing, one.action, one.resource)
        for call in seen.calls
        if (call.service, call.operation) not in FREE
        for role, region in _roles(call)
        for one in permissions.needed(call, PLATFORM.account, seen.tags)
        if not permissions.allowed(_policy(region.alias, role), one)
    }
    assert refused == set()


def test_the_log_holds_no_call_that_nobody_accounts_for(seen: Seen) -> None:
    """What the local Regions answered was asked by a client that was listened to."""
    assert len(seen.log) > len(seen.calls) / 2  # what a lost Region never answers is not in it
    strangers = {
        (one["service"], one["operation"])
        for one in seen.log
        if one["request_id"] and one["request_id"] not in seen.answered
    }
    assert strangers == set()


def test_each_role_was_seen_at_work(seen: Seen) -> None:
    """A rehearsal without a role's calls would prove nothing of it."""
    assert {role for call in seen.calls for role, _ in _roles(call)} == set(Role)
    assert {SENSING, *JOBS} - {call.doing for call in seen.calls} == BY_HAND


def test_every_operation_of_the_code_is_in_the_table() -> None:
    """A new call of the product needs a row, whether a rehearsal comes to it or not."""
    missing = aws_calls.all_calls().keys() - {(one.service, one.name) for one in OPERATIONS} - FREE
    assert {call: aws_calls.all_calls()[call] for call in missing} == {}


@pytest.mark.parametrize("role", Role)
def test_every_allowed_operation_is_used_by_the_roles_code(role: Role) -> None:
    """No row outlives its call, and no role has one that its modules never come to."""
    roots, left_out = ROOTS[role]
    used = aws_calls.reachable(roots, left_out)
    table = {(one.service, one.name) for one in OPERATIONS if role in one.roles}
    assert table - used == set()


def test_the_scan_knows_the_roles_apart() -> None:
    """A scan that finds everything everywhere would let any row pass."""
    found = {role: aws_calls.reachable(*ROOTS[role]) for role in Role}
    assert ("rds", "FailoverGlobalCluster") in found[Role.FAILOVER]
    assert ("rds", "FailoverGlobalCluster") not in found[Role.READINESS] | found[Role.APPLY]
    assert ("cloudformation", "ExecuteChangeSet") in found[Role.APPLY]
    assert ("cloudformation", "ExecuteChangeSet") not in found[Role.FAILOVER]
    assert not {service for service, _ in found[Role.HEARTBEAT]} - {"dynamodb", "sts"}


def test_every_job_has_a_role(rehearsed_jobs: set[str]) -> None:
    """A job without one could not run on AWS; a role's job that is gone is a leftover."""
    assert rehearsed_jobs == JOBS.keys()


@pytest.fixture
def rehearsed_jobs(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of all jobs that Dagster loads."""
    from platform_pipelines import definitions

    monkeypatch.setenv("PLATFORM_FILE", str(platforms.FILE))
    names = definitions.defs().get_repository_def().job_names
    return {name for name in names if not name.startswith("__")}


def test_readiness_reads_only() -> None:
    """But for its verdict in the ledger, and for starting a comparison."""
    writes = {
        action
        for action in _actions(Role.READINESS)
        if not action.partition(":")[2].startswith(
            ("BatchGet", "Describe", "Detect", "Get", "List")
        )
    }
    assert writes == {"dynamodb:PutItem", "dynamodb:Query"}


def test_readiness_cannot_write_roles() -> None:
    """Its PutItem takes the attributes of a verdict and no others."""
    statements = _policy("tokyo", Role.READINESS)
    assert permissions.allowed(statements, _put("at", "colour", "reasons"))
    assert not permissions.allowed(statements, _put("active", "standby", "epoch"))


def test_the_verdict_has_the_attributes_that_readiness_may_write() -> None:
    """A new field of the record needs a new attribute in the policy."""
    fields = {one.name for one in dataclasses.fields(ledger_records.Verdict)}
    assert fields | set(policies.KEYS) == set(policies.VERDICT)
    assert Colour.GREEN  # the colour is plain text in the ledger


def test_the_heartbeat_has_the_attributes_that_it_may_write() -> None:
    """The same for a sign of life."""
    fields = {one.name for one in dataclasses.fields(ledger_records.Heartbeat)}
    assert fields | set(policies.KEYS) == set(policies.BEAT)


def test_a_region_may_promote_only_itself() -> None:
    """The failover role of a Region is refused at the endpoints of the other one."""
    tokyo, seoul = PLATFORM.region("tokyo"), PLATFORM.region("seoul")
    arn = f"arn:aws:rds:{tokyo.name}:{PLATFORM.account}:cluster:peccy-peccy-tokyo"
    for place, expected in ((tokyo, True), (seoul, False)):
        one = Needed(
            action="rds:FailoverGlobalCluster",
            resource=arn,
            context={"aws:RequestedRegion": [place.name]},
        )
        assert permissions.allowed(_policy("tokyo", Role.FAILOVER), one) is expected


def test_a_rebuilt_db_cluster_is_still_allowed() -> None:
    """A later generation has a name of its own; the policy need not change with the ledger."""
    name = "peccy-peccy-tokyo-g2"
    arn = f"arn:aws:rds:ap-northeast-1:{PLATFORM.account}:cluster:{name}"
    one = Needed(action="rds:DescribeDBClusters", resource=arn, context={})
    assert permissions.allowed(_policy("seoul", Role.FAILOVER), one)
    stranger = Needed(action=one.action, resource=f"{arn[:-3]}-other", context={})
    assert not permissions.allowed(_policy("seoul", Role.FAILOVER), stranger)


@pytest.mark.parametrize("role", Role)
def test_actions_and_resources_are_aws_own(role: Role) -> None:
    """Every action exists, and takes a resource of the kind that its statement names."""
    known = _reference()
    for statement in _policy("tokyo", role):
        kinds = {resource.split(":")[2] for resource in statement["Resource"] if resource != "*"}
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            found = known[service]["Actions"].get(name.lower())
            assert found is not None, f"{action} does not exist"
            assert bool(found.get("Resources")) or statement["Resource"] == ["*"], action
            assert statement["Resource"] == ["*"] or service in kinds, action


@pytest.mark.parametrize("role", Role)
def test_policies_fit_into_a_role(role: Role) -> None:
    """IAM takes 10,240 characters of inline policies for one role, white space not counted."""
    text = json.dumps(_policy("tokyo", role), separators=(",", ":"))
    assert len(text) < 10_000


def _roles(call: Recorded) -> list[tuple[Role, Region]]:
    """The role that a call was made as, of each Region whose controllers may make it."""
    home, other = PLATFORM.home_region, PLATFORM.other(PLATFORM.home)
    beating = [one for one in (home, other) if call.agent.endswith(f"controller/{one.alias}")]
    if beating:
        return [(Role.HEARTBEAT, beating[0])]
    role = SENSOR if call.doing == SENSING else JOBS[call.doing]
    places = [other] if role is Role.FAILOVER else [home, other]  # a Region promotes itself
    return [(role, place) for place in places]


@functools.cache
def _policy(alias: str, role: Role) -> list[dict[str, Any]]:
    """The statements of a role, out of the rendered stack `access`."""
    region = PLATFORM.region(alias)
    unit = next(one for one in cfn.units(PLATFORM) if one.key == (alias, "access"))
    resources = json.loads(cfn.render(PLATFORM, unit))["Resources"].values()
    (found,) = [
        one["Properties"]
        for one in resources
        if one["Properties"].get("RoleName") == PLATFORM.role_name(role, region)
    ]
    (policy,) = found["Policies"]
    statements: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return statements


def _actions(role: Role) -> set[str]:
    return {action for one in _policy("tokyo", role) for action in one["Action"]}


def _put(*attributes: str) -> Needed:
    arn = f"arn:aws:dynamodb:ap-northeast-1:{PLATFORM.account}:table/{PLATFORM.ledger_table}"
    return Needed(
        action="dynamodb:PutItem",
        resource=arn,
        context={
            "dynamodb:LeadingKeys": [PLATFORM.platform],
            "dynamodb:Attributes": ["pk", "sk", *attributes],
        },
    )


def _reference() -> dict[str, Any]:
    """AWS's service authorization reference, as cfn-lint has it."""
    path = Path(next(iter(AdditionalSpecs.__path__))) / "Policies.json"
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _file_systems(rehearsal: Rehearsal) -> dict[str, dict[str, str]]:
    platform: Platform = rehearsal.world.platform
    found = (
        one
        for region in platform.regions
        for one in rehearsal.world.aws("efs", region.alias).describe_file_systems()["FileSystems"]
    )
    return {one["FileSystemId"]: {tag["Key"]: tag["Value"] for tag in one["Tags"]} for one in found}
