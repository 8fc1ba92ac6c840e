"""Updates of stacks: what they touch, how they are undone, and what forbids them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.world import World
from tests.local.aws.stack_calls import (
    begun,
    broken,
    created,
    fault,
    updated,
    value,
)
from tests.local.aws.stacks import (
    Stacks,
    files,
    in_still_world,
    parameter,
    resource,
    template,
)


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


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


def test_what_fails_in_its_second_step_is_deleted(stacks: Stacks) -> None:
    """A new repository whose lifecycle policy ECR refuses: it was there, so it has to go."""
    created(stacks, "second", template(A=parameter("1", Name="a")))
    images = resource(
        "AWS::ECR::Repository",
        RepositoryName="images",
        LifecyclePolicy={"LifecyclePolicyText": "{}"},
    )
    stack_id = begun(stacks, "second", template(A=parameter("1", Name="a"), B=images))
    assert stacks.end("seoul", stack_id) == "UPDATE_ROLLBACK_COMPLETE"
    assert [status for name, status in stacks.events("seoul", "second") if name == "B"] == [
        *("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_FAILED"),
        *("DELETE_IN_PROGRESS", "DELETE_COMPLETE"),
    ]
    assert stacks.world.aws("ecr").describe_repositories()["repositories"] == []


def test_an_update_says_what_it_could_not_create_and_what_not_update(stacks: Stacks) -> None:
    """New resources fail to create, also in an update."""
    created(stacks, "words", template(A=parameter("1", Name="a")))
    fault(stacks, "words/A", "failed")
    body = template(A=parameter("2", Name="a"), B=files())
    stack_id = begun(stacks, "words", body)
    assert stacks.end("seoul", stack_id) == "UPDATE_ROLLBACK_FAILED"
    events = stacks.client("seoul").describe_stack_events(StackName=stack_id)["StackEvents"]
    reasons = {one["ResourceStatus"]: one.get("ResourceStatusReason") for one in events}
    assert reasons["UPDATE_ROLLBACK_IN_PROGRESS"] == (
        "The following resource(s) failed to create: [B]. "
        "The following resource(s) failed to update: [A]."
    )
    assert reasons["UPDATE_ROLLBACK_FAILED"] == ("The following resource(s) failed to update: [A].")


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
