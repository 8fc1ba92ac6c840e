"""Stack operations take their time, in the order of dependencies, and end as on AWS."""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import Outage, World
from tests.local.aws.stacks import (
    Stacks,
    StillWorld,
    eks_cluster,
    files,
    global_cluster,
    in_still_world,
    instance,
    member,
    network,
    parameter,
    resource,
    template,
)

LOGIN = {"MasterUsername": "root", "MasterUserPassword": "long-enough"}
NOWHERE = {"FileSystemId": "fs-00000000000000000"}  # a file system that there is not


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def broken() -> dict[str, Any]:
    """A resource that no service makes."""
    return resource("AWS::EFS::AccessPoint", **NOWHERE)


def created(stacks: Stacks, name: str, body: dict[str, Any], **more: Any) -> str:
    """Create a stack, by one call; its last status."""
    text = json.dumps(body)
    made = stacks.client("seoul").create_stack(StackName=name, TemplateBody=text, **more)
    return stacks.end("seoul", made["StackId"])


def begun(stacks: Stacks, name: str, body: dict[str, Any], **more: Any) -> str:
    """Begin to update a stack; its id."""
    text = json.dumps(body)
    made = stacks.client("seoul").update_stack(StackName=name, TemplateBody=text, **more)
    return str(made["StackId"])


def updated(stacks: Stacks, name: str, body: dict[str, Any], **more: Any) -> str:
    """Update a stack, by one call; its last status."""
    return stacks.end("seoul", begun(stacks, name, body, **more))


def value(stacks: Stacks, name: str) -> str:
    """What a parameter of SSM says."""
    found = stacks.world.aws("ssm").get_parameter(Name=name)
    return str(found["Parameter"]["Value"])


def fault(stacks: Stacks, resource_: str, ending: str) -> Callable[[], bool]:
    """Make the transition of a stack's resource never end, or fail; call the result to end that."""
    faults = world_of(stacks).faults
    entry = faults.add(
        {
            "kind": "transition",
            "transition": "stack_resource",
            "resource": resource_,
            "ending": ending,
        }
    )
    return partial(faults.remove, entry.id)


def world_of(stacks: Stacks) -> World:
    """The world behind the clients."""
    assert isinstance(stacks.world, StillWorld)
    return stacks.world.world


# Forward


def test_nothing_happens_while_time_stands_still(stacks: Stacks) -> None:
    """An operation progresses as time is advanced, and not before."""
    body = template(Files=files())
    stacks.client("seoul").create_stack(StackName="still", TemplateBody=json.dumps(body))
    assert stacks.events("seoul", "still") == [("still", "CREATE_IN_PROGRESS")]
    stacks.wait(2)
    assert stacks.events("seoul", "still")[1:] == 2 * [("Files", "CREATE_IN_PROGRESS")]
    assert stacks.status("seoul", "still") == "CREATE_IN_PROGRESS"


def test_a_resource_is_complete_when_its_service_says_so(stacks: Stacks) -> None:
    """A cluster is CREATE_IN_PROGRESS until it is ACTIVE, and what needs it waits."""
    group = resource(
        "AWS::EKS::AccessEntry",
        ClusterName={"Ref": "Cluster"},
        PrincipalArn="arn:aws:iam::111122223333:role/one",
    )
    body = template(**network(), Cluster=eks_cluster("slow"), Entry=group)
    stacks.client("seoul").create_stack(StackName="slow", TemplateBody=json.dumps(body))
    stacks.wait(100)
    eks = stacks.world.aws("eks")
    assert eks.describe_cluster(name="slow")["cluster"]["status"] == "CREATING"
    assert ("Cluster", "CREATE_COMPLETE") not in stacks.events("seoul", "slow")
    assert "Entry" not in dict(stacks.events("seoul", "slow"))
    assert stacks.end("seoul", "slow") == "CREATE_COMPLETE"
    order = [name for name, status in stacks.events("seoul", "slow") if status == "CREATE_COMPLETE"]
    assert order.index("Vpc") < order.index("SubnetA") < order.index("Cluster")
    assert order[-2:] == ["Entry", "slow"]


def test_what_does_not_depend_on_each_other_is_made_at_the_same_time(stacks: Stacks) -> None:
    """Two file systems take as long as one."""
    now = world_of(stacks).clock.now
    created(stacks, "one", template(A=files()))
    took, start = now() - 1_800_000_000, now()
    created(stacks, "two", template(A=files(), B=files()))
    assert now() - start == took


def test_attributes_that_come_with_readiness_are_there_for_what_needs_them(stacks: Stacks) -> None:
    """A cluster has no endpoint while it is CREATING; its stack's output has it at the end."""
    body = template(**network(), Cluster=eks_cluster("ends"))
    body["Outputs"] = {"Url": {"Value": {"Fn::GetAtt": ["Cluster", "Endpoint"]}}}
    assert created(stacks, "ends", body) == "CREATE_COMPLETE"
    assert stacks.outputs("seoul", "ends")["Url"].startswith("https://")


def test_a_condition_may_ask_for_the_region(stacks: Stacks) -> None:
    """Ref AWS::Region has its value in Conditions."""
    body = template(It=parameter("1", Name="in-seoul") | {"Condition": "InSeoul"})
    body["Conditions"] = {"InSeoul": {"Fn::Equals": [{"Ref": "AWS::Region"}, "ap-northeast-2"]}}
    other = template(Other=parameter("1", Name="anywhere"))
    body["Resources"] |= other["Resources"]
    assert created(stacks, "conditions", body) == "CREATE_COMPLETE"
    assert value(stacks, "in-seoul") == "1"
    assert stacks.apply("tokyo", "conditions", body) == "CREATE_COMPLETE"
    names = stacks.world.aws("ssm", "tokyo").describe_parameters()["Parameters"]
    assert [one["Name"] for one in names] == ["anywhere"]


# Rollback of a creation


def test_a_creation_that_fails_is_rolled_back(stacks: Stacks) -> None:
    """What was made is deleted, dependents first; the reason is in the events."""
    body = template(Files=files(), It=broken())
    assert created(stacks, "back", body) == "ROLLBACK_COMPLETE"
    assert stacks.world.aws("efs").describe_file_systems()["FileSystems"] == []
    reasons = stacks.failures("seoul", "back")
    assert "Resource handler returned message" in reasons["It"]
    assert reasons["Files"] == "Resource creation cancelled"
    stack = stacks.describe("seoul", "back")
    assert stack is not None
    started = next(
        one
        for one in stacks.client("seoul").describe_stack_events(StackName="back")["StackEvents"]
        if one["ResourceStatus"] == "ROLLBACK_IN_PROGRESS"
    )
    assert started["ResourceStatusReason"] == (
        "The following resource(s) failed to create: [Files, It]. Rollback requested by user."
    )


def test_what_is_retained_survives_the_rollback_of_its_creation_unless_told(stacks: Stacks) -> None:
    """Retain keeps it; RetainExceptOnCreate, as a policy or a parameter, does not."""

    def left(name: str, policy: str, **more: Any) -> int:
        kept = files() | {"DeletionPolicy": policy}
        body = template(Files=kept, Broken=broken() | {"DependsOn": "Files"})
        assert created(stacks, name, body, **more) == "ROLLBACK_COMPLETE"
        return len(stacks.world.aws("efs").describe_file_systems()["FileSystems"])

    assert left("except", "RetainExceptOnCreate") == 0
    assert left("parameter", "Retain", RetainExceptOnCreate=True) == 0
    assert left("retain", "Retain") == 1


def test_without_a_rollback_what_was_made_stays_and_may_be_rolled_back_later(
    stacks: Stacks,
) -> None:
    """DisableRollback: independent resources are finished; RollbackStack removes them."""
    body = template(Files=files(), Broken=broken())
    assert created(stacks, "kept", body, DisableRollback=True) == "CREATE_FAILED"
    found = stacks.world.aws("efs").describe_file_systems()["FileSystems"]
    assert [one["LifeCycleState"] for one in found] == ["available"]
    stacks.client("seoul").rollback_stack(StackName="kept")
    assert stacks.end("seoul", "kept") == "ROLLBACK_COMPLETE"
    assert stacks.world.aws("efs").describe_file_systems()["FileSystems"] == []


def test_a_rollback_that_cannot_delete_says_so(stacks: Stacks) -> None:
    """ROLLBACK_FAILED, with the resource that is left."""
    safe = global_cluster("safe", DeletionProtection=True)
    body = template(Safe=safe, Broken=broken() | {"DependsOn": "Safe"})
    assert created(stacks, "stuck", body) == "ROLLBACK_FAILED"
    stack = stacks.describe("seoul", "stuck")
    assert stack is not None
    assert stack["StackStatusReason"] == "The following resource(s) failed to delete: [Safe]."


# Updates


def test_an_update_touches_what_changed_and_cleans_up_at_the_end(stacks: Stacks) -> None:
    """Unchanged resources have no events; a dropped one is deleted in the cleanup."""
    body = template(A=parameter("1", Name="a"), B=parameter("1", Name="b"), C=files())
    created(stacks, "edit", body)
    before = len(stacks.events("seoul", "edit"))
    after = template(A=parameter("2", Name="a"), B=parameter("1", Name="b"))
    assert updated(stacks, "edit", after) == "UPDATE_COMPLETE"
    assert stacks.events("seoul", "edit")[before:] == [
        ("edit", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_IN_PROGRESS"),
        ("A", "UPDATE_COMPLETE"),
        ("edit", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"),
        ("C", "DELETE_IN_PROGRESS"),
        ("C", "DELETE_COMPLETE"),
        ("edit", "UPDATE_COMPLETE"),
    ]
    assert value(stacks, "a") == "2"


def test_a_replaced_resource_goes_only_after_the_update_has_succeeded(stacks: Stacks) -> None:
    """The new one first, then the old one, in the cleanup."""
    created(stacks, "renamed", template(It=parameter("1", Name="old")))
    begun(stacks, "renamed", template(It=parameter("1", Name="new")))
    stacks.wait(3)
    assert (value(stacks, "old"), value(stacks, "new")) == ("1", "1")
    assert stacks.end("seoul", "renamed") == "UPDATE_COMPLETE"
    with pytest.raises(ClientError, match="ParameterNotFound"):
        value(stacks, "old")


def test_an_update_that_fails_is_undone(stacks: Stacks) -> None:
    """Changed resources get their old properties, new ones go, the template is the old one."""
    old = template(A=parameter("1", Name="a"))
    created(stacks, "undone", old)
    new = template(
        A=parameter("2", Name="a"),
        New=parameter("1", Name="n") | {"DependsOn": "A"},
        Broken=broken() | {"DependsOn": "New"},
    )
    assert updated(stacks, "undone", new) == "UPDATE_ROLLBACK_COMPLETE"
    assert value(stacks, "a") == "1"
    with pytest.raises(ClientError, match="ParameterNotFound"):
        value(stacks, "n")
    body = stacks.client("seoul").get_template(StackName="undone")["TemplateBody"]
    assert (body if isinstance(body, dict) else json.loads(body)) == old
    statuses = [status for name, status in stacks.events("seoul", "undone") if name == "undone"]
    assert statuses[2:] == [
        "UPDATE_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE",
    ]
    assert updated(stacks, "undone", template(A=parameter("3", Name="a"))) == "UPDATE_COMPLETE"


def test_an_update_is_cancelled_on_request(stacks: Stacks) -> None:
    """ "User Initiated": what was begun goes back."""
    created(stacks, "cancel", template(A=parameter("1", Name="a")))
    body = template(A=parameter("2", Name="a"), B=files() | {"DependsOn": "A"})
    stack_id = begun(stacks, "cancel", body)
    stacks.wait(10)
    stacks.client("seoul").cancel_update_stack(StackName="cancel")
    assert stacks.end("seoul", stack_id) == "UPDATE_ROLLBACK_COMPLETE"
    assert value(stacks, "a") == "1"
    assert stacks.failures("seoul", stack_id)["B"] == "Resource creation cancelled"
    assert stacks.world.aws("efs").describe_file_systems()["FileSystems"] == []


def test_a_rollback_that_fails_is_continued(stacks: Stacks) -> None:
    """UPDATE_ROLLBACK_FAILED stays until the cause is gone, or the resource is skipped."""
    created(stacks, "on", template(A=parameter("1", Name="a"), Z=parameter("1", Name="z")))
    new = template(
        A=parameter("2", Name="a"),
        Z=parameter("2", Name="z"),
        Broken=broken() | {"DependsOn": ["A", "Z"]},
    )
    begun(stacks, "on", new)
    stacks.wait(9)
    assert stacks.status("seoul", "on") == "UPDATE_ROLLBACK_IN_PROGRESS"
    end = fault(stacks, "on/A", "failed")
    assert stacks.end("seoul", "on") == "UPDATE_ROLLBACK_FAILED"
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_FAILED"):
        updated(stacks, "on", new)
    end()
    stacks.client("seoul").continue_update_rollback(StackName="on")
    assert stacks.end("seoul", "on") == "UPDATE_ROLLBACK_COMPLETE"
    assert (value(stacks, "a"), value(stacks, "z")) == ("1", "1")


def test_a_resource_may_be_skipped_by_the_rollback(stacks: Stacks) -> None:
    """It is UPDATE_COMPLETE then, whatever it is in reality."""
    created(stacks, "skip", template(A=parameter("1", Name="a")))
    begun(stacks, "skip", template(A=parameter("2", Name="a"), B=broken() | {"DependsOn": "A"}))
    stacks.wait(9)
    fault(stacks, "skip/A", "failed")
    assert stacks.end("seoul", "skip") == "UPDATE_ROLLBACK_FAILED"
    stacks.client("seoul").continue_update_rollback(StackName="skip", ResourcesToSkip=["A"])
    assert stacks.end("seoul", "skip") == "UPDATE_ROLLBACK_COMPLETE"


def test_a_stack_that_is_busy_is_not_updated(stacks: Stacks) -> None:
    """Neither by a call nor by a change set; and it is not deleted while it is updated."""
    created(stacks, "busy", template(A=files()))
    begun(stacks, "busy", template(A=files(), B=files()))
    new = template(A=files(), C=files())
    for attempt in (
        lambda: begun(stacks, "busy", new),
        lambda: stacks.draft("seoul", "busy", new),
    ):
        with pytest.raises(ClientError, match="is in UPDATE_IN_PROGRESS state and can not be"):
            attempt()
    with pytest.raises(ClientError, match="cannot be deleted while in status UPDATE_IN_PROGRESS"):
        stacks.client("seoul").delete_stack(StackName="busy")


def test_exports_that_others_import_stay(stacks: Stacks) -> None:
    """An update that drops one is rolled back; so is one that exports a name a second time."""
    out = {"Id": {"Value": "1", "Export": {"Name": "shared"}}}
    body = template(A=parameter("1", Name="a")) | {"Outputs": out}
    created(stacks, "gives", body)
    created(stacks, "takes", template(B=parameter("x", Description={"Fn::ImportValue": "shared"})))
    changed = template(A=parameter("2", Name="a"))
    assert updated(stacks, "gives", changed) == "UPDATE_ROLLBACK_COMPLETE"
    reasons = [
        one["ResourceStatusReason"]
        for one in stacks.client("seoul").describe_stack_events(StackName="gives")["StackEvents"]
        if one["ResourceStatus"] == "UPDATE_ROLLBACK_IN_PROGRESS"
    ]
    assert reasons == ["Export shared cannot be deleted as it is in use by takes"]
    assert created(stacks, "again", template(C=files()) | {"Outputs": out}) == "ROLLBACK_COMPLETE"
    assert stacks.delete("seoul", "takes") == "DELETE_COMPLETE"
    assert updated(stacks, "gives", changed) == "UPDATE_COMPLETE"
    assert stacks.client("seoul").list_exports()["Exports"] == []


# Stack policies


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": [{"Principal": "*", **one} for one in statements]})


ALLOW_ALL = {"Effect": "Allow", "Action": "Update:*", "Resource": "*"}


@pytest.mark.parametrize(
    ("action", "edited"),
    [
        ("Update:Modify", {"A": parameter("2", Name="a")}),
        ("Update:Replace", {"A": parameter("1", Name="other")}),
        ("Update:Delete", {"B": parameter("1", Name="b")}),
    ],
)
def test_a_stack_policy_refuses_what_it_denies(
    stacks: Stacks, action: str, edited: dict[str, Any]
) -> None:
    """The resource's event says which statement; everything is as it was."""
    body = template(A=parameter("1", Name="a"), B=parameter("1", Name="b"))
    created(stacks, "guarded", body)
    denied = {"Effect": "Deny", "Action": action, "Resource": "LogicalResourceId/A"}
    client = stacks.client("seoul")
    client.set_stack_policy(StackName="guarded", StackPolicyBody=_policy(ALLOW_ALL, denied))
    new = {"Resources": (body["Resources"] if "A" in edited else {}) | edited}
    assert updated(stacks, "guarded", new) == "UPDATE_ROLLBACK_COMPLETE"
    assert stacks.failures("seoul", "guarded")["A"] == (
        f"Action denied by stack policy: Statement [#2] does not allow [{action}] "
        "for resource [LogicalResourceId/A]"
    )
    assert value(stacks, "a") == "1"


def test_a_policy_may_be_lifted_for_one_update(stacks: Stacks) -> None:
    """StackPolicyDuringUpdateBody counts once; without an Allow nothing may be done."""
    created(stacks, "closed", template(A=parameter("1", Name="a")))
    closed = {"Effect": "Deny", "Action": "Update:*", "Resource": "*"}
    stacks.client("seoul").set_stack_policy(StackName="closed", StackPolicyBody=_policy(closed))
    new = template(A=parameter("2", Name="a"))
    opened = _policy(ALLOW_ALL)
    assert updated(stacks, "closed", new) == "UPDATE_ROLLBACK_COMPLETE"
    assert updated(stacks, "closed", new, StackPolicyDuringUpdateBody=opened) == "UPDATE_COMPLETE"
    newer = template(A=parameter("3", Name="a"))
    assert updated(stacks, "closed", newer) == "UPDATE_ROLLBACK_COMPLETE"


def test_what_is_no_stack_policy_is_refused(stacks: Stacks) -> None:
    """By its form, at once."""
    created(stacks, "form", template(A=parameter("1", Name="a")))
    for body in ("{", '{"Statement": [{"Effect": "Maybe"}]}', "[]"):
        with pytest.raises(ClientError, match="Invalid stack policy"):
            stacks.client("seoul").set_stack_policy(StackName="form", StackPolicyBody=body)


# Deletion


def test_a_deletion_waits_for_what_it_deletes_and_keeps_what_is_retained(stacks: Stacks) -> None:
    """Dependents first; Retain stays, and its event says so."""
    kept = files() | {"DeletionPolicy": "Retain"}
    body = template(
        Global=global_cluster("gone"),
        It=member("gone-1", GlobalClusterIdentifier={"Ref": "Global"}, **LOGIN),
        One=instance("It"),
        Kept=kept,
    )
    assert created(stacks, "gone", body) == "CREATE_COMPLETE"
    stack = stacks.describe("seoul", "gone")
    assert stack is not None
    stacks.client("seoul").delete_stack(StackName="gone")
    assert stacks.end("seoul", stack["StackId"]) == "DELETE_COMPLETE"
    events = stacks.events("seoul", stack["StackId"])
    assert ("Kept", "DELETE_SKIPPED") in events
    done = [name for name, status in events if status == "DELETE_COMPLETE"]
    assert done == ["One", "It", "Global", "gone"]
    rds = stacks.world.aws("rds")
    assert rds.describe_db_clusters()["DBClusters"] == []
    assert len(stacks.world.aws("efs").describe_file_systems()["FileSystems"]) == 1


def test_a_deletion_that_fails_is_tried_again_without_the_resource(stacks: Stacks) -> None:
    """DELETE_FAILED names it; RetainResources leaves it behind."""
    created(stacks, "held", template(Global=global_cluster("held", DeletionProtection=True)))
    stack = stacks.describe("seoul", "held")
    assert stack is not None
    assert stacks.delete("seoul", "held") == "DELETE_FAILED"
    assert "Global" in stacks.failures("seoul", "held")
    assert stacks.delete("seoul", "held", RetainResources=["Global"]) == "DELETE_COMPLETE"
    assert len(stacks.world.aws("rds").describe_global_clusters()["GlobalClusters"]) == 1


def test_a_deletion_may_be_forced(stacks: Stacks) -> None:
    """FORCE_DELETE_STACK leaves what cannot be deleted."""
    created(stacks, "forced", template(Global=global_cluster("forced", DeletionProtection=True)))
    assert stacks.delete("seoul", "forced") == "DELETE_FAILED"
    forced = {"DeletionMode": "FORCE_DELETE_STACK"}
    assert stacks.delete("seoul", "forced", **forced) == "DELETE_COMPLETE"


def test_a_cluster_leaves_a_snapshot_by_default(stacks: Stacks) -> None:
    """DeletionPolicy of a DB cluster is Snapshot, if the template does not say."""
    cluster = member("leaves", **LOGIN)
    del cluster["DeletionPolicy"]
    created(stacks, "leaves", template(It=cluster))
    assert stacks.delete("seoul", "leaves") == "DELETE_COMPLETE"
    found = stacks.world.aws("rds").describe_db_cluster_snapshots()["DBClusterSnapshots"]
    assert [one["DBClusterIdentifier"] for one in found] == ["leaves"]


def test_a_creation_may_be_deleted_in_its_middle(stacks: Stacks) -> None:
    """What was begun is waited for, and then deleted."""
    body = template(**network(), Cluster=eks_cluster("half"))
    stacks.client("seoul").create_stack(StackName="half", TemplateBody=json.dumps(body))
    stacks.wait(60)
    assert stacks.delete("seoul", "half") == "DELETE_COMPLETE"
    assert stacks.world.aws("eks").list_clusters()["clusters"] == []


# Faults, outages and SIGKILL


def test_a_resource_may_never_be_ready(stacks: Stacks) -> None:
    """The fault holds the operation up until it is gone."""
    end = fault(stacks, "hung/A", "never")
    body = json.dumps(template(A=files(), B=files()))
    stacks.client("seoul").create_stack(StackName="hung", TemplateBody=body)
    stacks.wait(3600)
    events = stacks.events("seoul", "hung")
    assert ("B", "CREATE_COMPLETE") in events
    assert ("A", "CREATE_COMPLETE") not in events
    end()
    assert stacks.end("seoul", "hung") == "CREATE_COMPLETE"


def test_a_resource_may_fail_to_become_ready(stacks: Stacks) -> None:
    """NotStabilized, and the rollback that follows."""
    fault(stacks, "fails/A", "failed")
    body = json.dumps(template(A=files()))
    stacks.client("seoul").create_stack(StackName="fails", TemplateBody=body)
    assert stacks.end("seoul", "fails") == "ROLLBACK_FAILED"
    assert "HandlerErrorCode: NotStabilized" in stacks.failures("seoul", "fails")["A"]


@pytest.mark.parametrize("mode", [Outage.HANG, Outage.CONTROL_PLANE])
def test_a_region_whose_control_plane_stands_still_parks_its_stacks(
    stacks: Stacks, mode: Outage
) -> None:
    """They go on when it is back, while the other Region's are not touched."""
    world, body = world_of(stacks), json.dumps(template(A=files()))
    for alias in ("seoul", "tokyo"):
        stacks.client(alias).create_stack(StackName="parked", TemplateBody=body)
    stacks.wait(1)
    world.outages["seoul"] = mode
    stacks.wait(3600)
    assert stacks.events("seoul", "parked") == [("parked", "CREATE_IN_PROGRESS")]
    assert stacks.status("tokyo", "parked") == "CREATE_COMPLETE"
    del world.outages["seoul"]
    assert stacks.end("seoul", "parked") == "CREATE_COMPLETE"


def test_a_killed_server_goes_on_with_the_operation_that_it_was_at(
    stacks: Stacks, world: World
) -> None:
    """At any moment: a new process has the same stack, task and timer."""
    asyncio.run(_killed_every_second(stacks, world))


async def _killed_every_second(stacks: Stacks, world: World) -> None:
    body = template(A=files(), B=parameter("1", Name="b") | {"DependsOn": "A"})
    world.vault.open()
    stacks.client("seoul").create_stack(StackName="goes-on", TemplateBody=json.dumps(body))
    lives = 0
    while stacks.status("seoul", "goes-on") == "CREATE_IN_PROGRESS":
        world.vault.close()
        world = World(
            platform=world.platform,
            state=world.state,
            ports=world.ports,
            clock=type(world.clock)(),
            ca_pem=world.ca_pem,
        )
        stacks, lives = in_still_world(world), lives + 1
        assert world.vault.open()
        stacks.wait(1)
    assert stacks.status("seoul", "goes-on") == "CREATE_COMPLETE"
    assert value(stacks, "b") == "1"
    assert lives > 10
    world.vault.close()


# Tokens and events


def test_a_change_set_is_executed_once_for_its_token(stacks: Stacks) -> None:
    """Asking again is no error, with the same token; with another one it is."""
    client = stacks.client("seoul")
    planned = stacks.plan("seoul", "token", template(A=files()))
    key = {"ChangeSetName": planned["ChangeSetId"]}
    client.execute_change_set(**key, ClientRequestToken="t")
    client.execute_change_set(**key, ClientRequestToken="t")
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        client.execute_change_set(**key, ClientRequestToken="other")
    assert stacks.end("seoul", planned["StackId"]) == "CREATE_COMPLETE"
    events = client.describe_stack_events(StackName="token")["StackEvents"]
    assert {one.get("ClientRequestToken") for one in events[:-1]} == {"t"}
    state = client.describe_change_set(**key)
    assert state["ExecutionStatus"] == "EXECUTE_COMPLETE"


def test_a_request_is_taken_once_for_its_token(stacks: Stacks) -> None:
    """The same one again is no error and no second operation; another one with the token is."""
    client, body = stacks.client("seoul"), json.dumps(template(A=parameter("1", Name="a")))
    request = {"StackName": "once", "TemplateBody": body, "ClientRequestToken": "t"}
    first = client.create_stack(**request)
    assert client.create_stack(**request)["StackId"] == first["StackId"]
    with pytest.raises(ClientError, match="TokenAlreadyExistsException"):
        client.delete_stack(StackName="once", ClientRequestToken="t")
    assert stacks.end("seoul", first["StackId"]) == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="AlreadyExistsException"):
        client.create_stack(**request | {"ClientRequestToken": "other"})


def test_iam_resources_need_a_capability(stacks: Stacks) -> None:
    """As AWS asks for it; nothing is begun without."""
    policy = {"Version": "2012-10-17", "Statement": []}
    body = template(Role=resource("AWS::IAM::Role", AssumeRolePolicyDocument=policy))
    with pytest.raises(ClientError, match="InsufficientCapabilities"):
        created(stacks, "iam", body)
    assert created(stacks, "iam", body, Capabilities=["CAPABILITY_IAM"]) == "CREATE_COMPLETE"


def test_events_are_paged_from_the_newest_back(stacks: Stacks) -> None:
    """A hundred a page, none twice; a token of somebody else is refused."""
    many = {f"P{number}": parameter("1", Name=f"p{number}") for number in range(40)}
    created(stacks, "many", {"Resources": many})
    client = stacks.client("seoul")
    first = client.describe_stack_events(StackName="many")
    rest = client.describe_stack_events(StackName="many", NextToken=first["NextToken"])
    assert len(first["StackEvents"]) == 100
    assert "NextToken" not in rest
    ids = [one["EventId"] for page in (first, rest) for one in page["StackEvents"]]
    assert len(ids) == len(set(ids)) == 122
    assert first["StackEvents"][0]["ResourceStatus"] == "CREATE_COMPLETE"
    with pytest.raises(ClientError, match="NextToken"):
        client.describe_stack_events(StackName="many", NextToken="bogus")


def test_operations_have_events_of_their_own(stacks: Stacks) -> None:
    """DescribeEvents tells one operation from the next, and failures from progress."""
    created(stacks, "story", template(A=parameter("1", Name="a")))
    updated(stacks, "story", template(A=parameter("2", Name="a"), B=broken() | {"DependsOn": "A"}))
    client = stacks.client("seoul")
    events = client.describe_events(StackName="story")["OperationEvents"]
    assert events[0]["OperationType"] == "UPDATE_STACK"
    failed = client.describe_events(StackName="story", Filters={"FailedEvents": True})
    assert [one["LogicalResourceId"] for one in failed["OperationEvents"]] == ["B"]
    assert failed["OperationEvents"][0]["EventType"] == "PROVISIONING_ERROR"
    same = client.describe_events(OperationId=events[0]["OperationId"])["OperationEvents"]
    assert {one["OperationId"] for one in same} == {events[0]["OperationId"]}
    assert same[-1]["ResourceStatus"] == "UPDATE_IN_PROGRESS"
    with pytest.raises(ClientError, match="must be specified"):
        client.describe_events(ChangeSetName="a-name-without-a-stack")


@pytest.mark.parametrize(
    ("call", "params"),
    [
        ("create_stack", {"TemplateBody": "{}", "RoleARN": "arn:aws:iam::111122223333:role/r"}),
        ("update_stack", {"TemplateBody": "{}", "StackPolicyURL": "https://s3/policy"}),
        ("create_stack", {"TemplateBody": "{}", "TimeoutInMinutes": 5}),
    ],
)
def test_what_is_not_there_says_so(stacks: Stacks, call: str, params: dict[str, Any]) -> None:
    """A parameter that would have no effect is refused, at once and clearly."""
    with pytest.raises(ClientError, match="not implemented by the local Regions"):
        getattr(stacks.client("seoul"), call)(StackName="any", **params)
