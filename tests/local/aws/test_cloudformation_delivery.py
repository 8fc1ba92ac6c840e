"""What stacks `delivery`, `alerts` and `drills` are made of: types made, changed, replaced, removed,
and read again for drift."""

from typing import Any

import pytest

from platform_pipelines.local.world import World
from tests.local.aws.deliveries import SEOUL, role_resource
from tests.local.aws.stacks import (
    NOTHING_TO_DO,
    Stacks,
    change_of,
    in_still_world,
    resource,
    template,
)

ROLES = {
    name.capitalize(): role_resource(name)
    for name in ("codepipeline", "codebuild", "fis", "chatbot")
}


@pytest.fixture
def stacks(world: World) -> Stacks:
    """The stacks of a world of this test's own."""
    return in_still_world(world)


def arn(name: str) -> dict[str, Any]:
    """The ARN of another resource of the template."""
    return {"Fn::GetAtt": [name, "Arn"]}


def connection(**more: Any) -> dict[str, Any]:
    """A connection to the code."""
    kind = "AWS::CodeConnections::Connection"
    return resource(kind, ConnectionName="code", ProviderType="GitHub", **more)


def project(**more: Any) -> dict[str, Any]:
    """A build project."""
    given = {
        "Name": "app-build",
        "ServiceRole": arn("Codebuild"),
        "Source": {"Type": "CODEPIPELINE", "BuildSpec": "version: 0.2"},
        "Artifacts": {"Type": "CODEPIPELINE"},
        "Environment": {
            "Type": "LINUX_CONTAINER",
            "Image": "aws/codebuild/amazonlinux-x86_64-standard:5.0",
            "ComputeType": "BUILD_GENERAL1_SMALL",
            "PrivilegedMode": "true",
        },
        "TimeoutInMinutes": 30,
    }
    return resource("AWS::CodeBuild::Project", **given | more)


def source(branch: str = "main") -> dict[str, Any]:
    """The stage that fetches the code."""
    action = {
        "Name": "Source",
        "ActionTypeId": {
            "Category": "Source",
            "Owner": "AWS",
            "Provider": "CodeStarSourceConnection",
            "Version": "1",
        },
        "Configuration": {
            "ConnectionArn": {"Ref": "Connection"},
            "FullRepositoryId": "example/app",
            "BranchName": branch,
            "DetectChanges": False,
        },
        "OutputArtifacts": [{"Name": "Code"}],
    }
    return {"Name": "Source", "Actions": [action]}


def build() -> dict[str, Any]:
    """The stage that builds it."""
    action = {
        "Name": "Build",
        "ActionTypeId": {
            "Category": "Build",
            "Owner": "AWS",
            "Provider": "CodeBuild",
            "Version": "1",
        },
        "Configuration": {"ProjectName": {"Ref": "Project"}},
        "InputArtifacts": [{"Name": "Code"}],
    }
    return {"Name": "Build", "Actions": [action]}


def pipeline(branch: str = "main", **more: Any) -> dict[str, Any]:
    """A pipeline."""
    given = {
        "Name": "app",
        "PipelineType": "V2",
        "RoleArn": arn("Codepipeline"),
        "ArtifactStore": {"Type": "S3", "Location": "artifacts"},
        "Stages": [source(branch), build()],
    }
    return resource("AWS::CodePipeline::Pipeline", **given | more)


def delivery(**changed: Any) -> dict[str, Any]:
    """A template with all that a pipeline needs."""
    given = {"Connection": connection(), "Project": project(), "Pipeline": pipeline()}
    body = template(**ROLES, **given | changed)
    outputs = {"Arn": arn("Pipeline"), "Name": {"Ref": "Pipeline"}, "Code": {"Ref": "Connection"}}
    return body | {"Outputs": {key: {"Value": value} for key, value in outputs.items()}}


def transition(stacks: Stacks) -> dict[str, Any]:
    """What holds stage Build back."""
    client = stacks.world.aws("codepipeline")
    found: dict[str, Any] = client.get_pipeline_state(name="app")["stageStates"][1]
    return dict(found["inboundTransitionState"])


def drifted(stacks: Stacks, name: str) -> dict[str, list[str]]:
    """The paths that differ, by resource."""
    client = stacks.client("seoul")
    client.detect_stack_drift(StackName=name)
    stacks.wait(20)
    found = client.describe_stack_resource_drifts(StackName=name)["StackResourceDrifts"]
    assert "UNKNOWN" not in {one["StackResourceDriftStatus"] for one in found}
    return {
        one["LogicalResourceId"]: [diff["PropertyPath"] for diff in one["PropertyDifferences"]]
        for one in found
        if one["StackResourceDriftStatus"] == "MODIFIED"
    }


def test_a_pipeline_lives_and_dies_with_its_stack(stacks: Stacks) -> None:
    """With its project and its connection, which is made although nobody has confirmed it."""
    assert stacks.apply("seoul", "delivery", delivery()) == "CREATE_COMPLETE"
    outputs = stacks.outputs("seoul", "delivery")
    assert outputs["Arn"] == f"arn:aws:codepipeline:{SEOUL}:111122223333:app"
    assert outputs["Name"] == "app"
    assert outputs["Code"].startswith(f"arn:aws:codeconnections:{SEOUL}:")
    made = stacks.world.aws("codepipeline").get_pipeline(name="app")["pipeline"]
    configuration = made["stages"][0]["actions"][0]["configuration"]
    assert configuration["ConnectionArn"] == outputs["Code"]
    assert configuration["DetectChanges"] == "false"
    assert stacks.apply("seoul", "delivery", delivery()) == NOTHING_TO_DO
    assert stacks.delete("seoul", "delivery") == "DELETE_COMPLETE"
    for service, operation, key in (
        ("codepipeline", "list_pipelines", "pipelines"),
        ("codebuild", "list_projects", "projects"),
        ("codeconnections", "list_connections", "Connections"),
    ):
        assert getattr(stacks.world.aws(service), operation)()[key] == []


def test_an_update_leaves_a_disabled_transition_alone(stacks: Stacks) -> None:
    """Whether a pipeline is enabled is state of run time, which no template names."""
    stacks.apply("seoul", "delivery", delivery())
    stacks.world.aws("codepipeline").disable_stage_transition(
        pipelineName="app", stageName="Build", transitionType="Inbound", reason="standby"
    )
    changed = delivery(Pipeline=pipeline("next"), Project=project(TimeoutInMinutes=20))
    assert stacks.apply("seoul", "delivery", changed) == "UPDATE_COMPLETE"
    assert transition(stacks)["enabled"] is False
    assert stacks.outputs("seoul", "delivery")["Name"] == "app"
    (found,) = stacks.world.aws("codebuild").batch_get_projects(names=["app-build"])["projects"]
    assert found["timeoutInMinutes"] == 20


def test_a_transition_that_a_template_disables_is_disabled(stacks: Stacks) -> None:
    """And enabled again when the template says so no longer."""
    held = [{"StageName": "Build", "Reason": "by hand"}]
    body = delivery(Pipeline=pipeline(DisableInboundStageTransitions=held))
    assert stacks.apply("seoul", "delivery", body) == "CREATE_COMPLETE"
    assert transition(stacks)["disabledReason"] == "by hand"
    assert stacks.apply("seoul", "delivery", delivery()) == "UPDATE_COMPLETE"
    assert transition(stacks)["enabled"] is True


def test_a_new_name_replaces_a_pipeline(stacks: Stacks) -> None:
    """The change set says so before."""
    stacks.apply("seoul", "delivery", delivery())
    body = delivery(Pipeline=pipeline(Name="other"))
    assert change_of(stacks.plan("seoul", "delivery", body), "Pipeline")["Replacement"] == "True"
    assert stacks.apply("seoul", "delivery", body) == "UPDATE_COMPLETE"
    found = stacks.world.aws("codepipeline").list_pipelines()["pipelines"]
    assert [one["name"] for one in found] == ["other"]


def test_a_project_forgets_what_a_template_says_no_longer(stacks: Stacks) -> None:
    """As AWS's own defaults are."""
    stacks.apply("seoul", "delivery", delivery(Project=project(Description="d")))
    body = delivery()
    del body["Resources"]["Project"]["Properties"]["TimeoutInMinutes"]
    assert stacks.apply("seoul", "delivery", body) == "UPDATE_COMPLETE"
    (found,) = stacks.world.aws("codebuild").batch_get_projects(names=["app-build"])["projects"]
    assert (found["timeoutInMinutes"], found["description"]) == (60, "")


def test_a_refusal_of_the_service_is_the_stacks_reason(stacks: Stacks) -> None:
    """A pipeline whose artifact nobody makes."""
    stages = [source(), build()]
    stages[1]["Actions"][0]["InputArtifacts"] = [{"Name": "Kode"}]
    planned = stacks.plan("seoul", "bad", delivery(Pipeline=pipeline(Stages=stages)))
    stacks.client("seoul").execute_change_set(ChangeSetName=planned["ChangeSetId"])
    stacks.end("seoul", planned["StackId"])
    reasons = stacks.failures("seoul", planned["StackId"])
    assert "Input Artifact Bundle Kode in action Build" in reasons["Pipeline"]


def test_what_was_changed_behind_a_delivery_has_drifted(stacks: Stacks) -> None:
    """The stages of the pipeline, the project's limit; nothing else."""
    stacks.apply("seoul", "delivery", delivery())
    assert drifted(stacks, "delivery") == {}
    client = stacks.world.aws("codepipeline")
    client.disable_stage_transition(
        pipelineName="app", stageName="Build", transitionType="Inbound", reason="standby"
    )
    assert drifted(stacks, "delivery") == {}
    declared = client.get_pipeline(name="app")["pipeline"]
    del declared["version"]
    declared["stages"][0]["actions"][0]["configuration"]["BranchName"] = "next"
    client.update_pipeline(pipeline=declared)
    stacks.world.aws("codebuild").update_project(name="app-build", timeoutInMinutes=5)
    found = drifted(stacks, "delivery")
    assert found.keys() == {"Pipeline", "Project"}
    assert found["Project"] == ["/TimeoutInMinutes"]
    (path,) = found["Pipeline"]
    assert path.startswith("/Stages")


def alerts(**changed: Any) -> dict[str, Any]:
    """A template with a rule, its topic, and the channel."""
    topic = resource("AWS::SNS::Topic", TopicName="deliveries")
    given = {
        "Name": "app",
        "DetailType": "FULL",
        "Resource": f"arn:aws:codepipeline:{SEOUL}:111122223333:app",
        "EventTypeIds": ["codepipeline-pipeline-pipeline-execution-failed"],
        "Targets": [{"TargetType": "SNS", "TargetAddress": {"Ref": "Topic"}}],
        "Tags": {"a": "1"},
    }
    rule = resource("AWS::CodeStarNotifications::NotificationRule", **given | changed)
    return template(Topic=topic, Rule=rule)


def chat(**changed: Any) -> dict[str, Any]:
    """A template with the channel of platform.yaml."""
    given = {
        "ConfigurationName": "peccy",
        "SlackWorkspaceId": "T0123ABCDE",
        "SlackChannelId": "C0123ABCDE",
        "IamRoleArn": arn("Chatbot"),
        "SnsTopicArns": [f"arn:aws:sns:{SEOUL}:111122223333:alarms"],
        "LoggingLevel": "ERROR",
        "GuardrailPolicies": ["arn:aws:iam::aws:policy/CloudWatchReadOnlyAccess"],
        "Tags": [{"Key": "a", "Value": "1"}],
    }
    return template(
        Chatbot=ROLES["Chatbot"],
        Chat=resource("AWS::Chatbot::SlackChannelConfiguration", **given | changed),
    )


def test_a_rule_lives_and_dies_with_its_stack(stacks: Stacks) -> None:
    """Another resource replaces it; the rest changes in place."""
    client = stacks.world.aws("codestar-notifications")

    def rules() -> list[str]:
        return [one["Arn"] for one in client.list_notification_rules()["NotificationRules"]]

    assert stacks.apply("seoul", "alerts", alerts()) == "CREATE_COMPLETE"
    (first,) = rules()
    changed = alerts(Status="DISABLED", Tags={"b": "2"})
    assert stacks.apply("seoul", "alerts", changed) == "UPDATE_COMPLETE"
    found = client.describe_notification_rule(Arn=first)
    assert (found["Status"], found["Tags"]["b"]) == ("DISABLED", "2")
    assert "a" not in found["Tags"]
    assert stacks.apply("seoul", "alerts", alerts()) == "UPDATE_COMPLETE"
    assert client.describe_notification_rule(Arn=first)["Status"] == "ENABLED"
    client.update_notification_rule(Arn=first, DetailType="BASIC")
    assert drifted(stacks, "alerts") == {"Rule": ["/DetailType"]}
    other = alerts(Resource=f"arn:aws:codepipeline:{SEOUL}:111122223333:other", Name="other")
    assert stacks.apply("seoul", "alerts", other) == "UPDATE_COMPLETE"
    assert len(rules()) == 1
    assert rules() != [first]
    assert stacks.delete("seoul", "alerts") == "DELETE_COMPLETE"
    assert rules() == []


def test_a_channel_lives_and_dies_with_its_stack(stacks: Stacks) -> None:
    """A second stack cannot have the same channel, in whichever Region it is."""
    client = stacks.world.aws("chatbot")
    assert stacks.apply("tokyo", "chat", chat()) == "CREATE_COMPLETE"
    planned = stacks.plan("seoul", "chat", chat(ConfigurationName="other"))
    stacks.client("seoul").execute_change_set(ChangeSetName=planned["ChangeSetId"])
    stacks.end("seoul", planned["StackId"])
    reason = stacks.failures("seoul", planned["StackId"])["Chat"]
    assert "has already been configured for AWS account" in reason
    body = chat(UserRoleRequired=True, Tags=[{"Key": "b", "Value": "2"}])
    del body["Resources"]["Chat"]["Properties"]["LoggingLevel"]
    assert stacks.apply("tokyo", "chat", body) == "UPDATE_COMPLETE"
    (found,) = client.describe_slack_channel_configurations()["SlackChannelConfigurations"]
    assert (found["LoggingLevel"], found["UserAuthorizationRequired"]) == ("NONE", True)
    assert {"TagKey": "b", "TagValue": "2"} in found["Tags"]
    assert stacks.delete("tokyo", "chat") == "DELETE_COMPLETE"
    assert client.describe_slack_channel_configurations()["SlackChannelConfigurations"] == []


def drills(**changed: Any) -> dict[str, Any]:
    """A template with an experiment."""
    target = {
        "ResourceType": "aws:ec2:subnet",
        "ResourceTags": {"Name": "a"},
        "SelectionMode": "ALL",
    }
    action = {
        "ActionId": "aws:network:disrupt-connectivity",
        "Parameters": {"duration": "PT2M", "scope": "all"},
        "Targets": {"Subnets": "Zone"},
    }
    given = {
        "Description": "a zone without network",
        "RoleArn": arn("Fis"),
        "Targets": {"Zone": target},
        "Actions": {"Cut": action},
        "StopConditions": [{"Source": "none"}],
        "ExperimentOptions": {
            "AccountTargeting": "single-account",
            "EmptyTargetResolutionMode": "skip",
        },
        "Tags": {"a": "1"},
    }
    made = resource("AWS::FIS::ExperimentTemplate", **given | changed)
    return template(Fis=ROLES["Fis"], Drill=made)


def test_an_experiment_lives_and_dies_with_its_stack(stacks: Stacks) -> None:
    """Only another account targeting makes a new one."""
    client = stacks.world.aws("fis")

    def ids() -> list[str]:
        return [one["id"] for one in client.list_experiment_templates()["experimentTemplates"]]

    assert stacks.apply("seoul", "drills", drills()) == "CREATE_COMPLETE"
    (first,) = ids()
    options = {"AccountTargeting": "single-account", "EmptyTargetResolutionMode": "fail"}
    body = drills(Description="new", ExperimentOptions=options, Tags={"b": "2"})
    assert stacks.apply("seoul", "drills", body) == "UPDATE_COMPLETE"
    assert ids() == [first]
    found = client.get_experiment_template(id=first)["experimentTemplate"]
    assert found["description"] == "new"
    assert found["experimentOptions"]["emptyTargetResolutionMode"] == "fail"
    assert found["tags"]["b"] == "2"
    other = drills(ExperimentOptions={"AccountTargeting": "multi-account"})
    assert stacks.apply("seoul", "drills", other) == "UPDATE_COMPLETE"
    assert len(ids()) == 1
    assert ids() != [first]
    assert stacks.delete("seoul", "drills") == "DELETE_COMPLETE"
    assert ids() == []


def test_what_was_added_to_an_experiment_behind_the_stack_is_drift(stacks: Stacks) -> None:
    """An action of somebody's own, by its name."""
    stacks.apply("seoul", "drills", drills())
    assert drifted(stacks, "drills") == {}
    client = stacks.world.aws("fis")
    (one,) = client.list_experiment_templates()["experimentTemplates"]
    found = client.get_experiment_template(id=one["id"])["experimentTemplate"]
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}}
    client.update_experiment_template(id=one["id"], actions=found["actions"] | {"Wait": wait})
    assert drifted(stacks, "drills") == {"Drill": ["/Actions/Wait"]}
