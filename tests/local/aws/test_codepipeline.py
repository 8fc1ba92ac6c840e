"""CodePipeline: which structures it takes, versions, transitions and tags."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from platform_pipelines.local.aws.codepipeline import CodePipeline
from tests.local.aws.deliveries import (
    SEOUL,
    TOKYO,
    action,
    build,
    pipeline,
    role,
    source,
    stage,
)
from tests.local.aws.stacks import StillWorld


@pytest.fixture
def arn(still: StillWorld) -> str:
    """The role that pipelines run with."""
    return role(still, "codepipeline")


@pytest.fixture
def client(still: StillWorld) -> Any:
    """CodePipeline in Seoul."""
    return still.aws("codepipeline")


def states(client: Any, name: str = "app") -> dict[str, Any]:
    """The inbound transition of each stage that has one."""
    found = client.get_pipeline_state(name=name)["stageStates"]
    return {
        one["stageName"]: one["inboundTransitionState"]
        for one in found
        if "inboundTransitionState" in one
    }


def test_a_pipeline_is_made_described_and_gone(client: Any, arn: str) -> None:
    """With what AWS adds, and the time."""
    made = client.create_pipeline(pipeline=pipeline(arn), tags=[{"key": "a", "value": "b"}])
    assert made["tags"] == [{"key": "a", "value": "b"}]
    assert made["pipeline"]["version"] == 1
    found = client.get_pipeline(name="app")
    assert found["metadata"]["pipelineArn"] == f"arn:aws:codepipeline:{SEOUL}:111122223333:app"
    assert found["pipeline"]["executionMode"] == "SUPERSEDED"
    assert found["pipeline"]["stages"][0]["actions"][0]["runOrder"] == 1
    (listed,) = client.list_pipelines()["pipelines"]
    assert (listed["name"], listed["pipelineType"]) == ("app", "V2")
    client.delete_pipeline(name="app")
    client.delete_pipeline(name="app")
    with pytest.raises(ClientError, match="PipelineNotFoundException"):
        client.get_pipeline(name="app")


def test_each_region_has_its_own_pipelines(still: StillWorld, client: Any, arn: str) -> None:
    """The same name twice in one Region is refused."""
    client.create_pipeline(pipeline=pipeline(arn))
    tokyo = still.aws("codepipeline", "tokyo")
    assert tokyo.list_pipelines()["pipelines"] == []
    tokyo.create_pipeline(pipeline=pipeline(arn))
    with pytest.raises(ClientError, match="PipelineNameInUseException"):
        client.create_pipeline(pipeline=pipeline(arn))


def test_an_update_makes_a_version_and_leaves_transitions_alone(client: Any, arn: str) -> None:
    """The standby's pipeline stays disabled, whatever is applied."""
    client.create_pipeline(pipeline=pipeline(arn))
    client.disable_stage_transition(
        pipelineName="app", stageName="Build", transitionType="Inbound", reason="standby of epoch 1"
    )
    test = action("Test", "CodeBuild") | {
        key: value for key, value in build().items() if key in ("configuration", "inputArtifacts")
    }
    stages = [stage(source()), stage(test), stage(build())]
    client.update_pipeline(pipeline=pipeline(arn, stages=stages))
    assert client.get_pipeline(name="app")["pipeline"]["version"] == 2
    assert len(client.get_pipeline(name="app", version=1)["pipeline"]["stages"]) == 2
    assert {name: one["enabled"] for name, one in states(client).items()} == {
        "Test": True,
        "Build": False,
    }
    with pytest.raises(ClientError, match="PipelineVersionNotFoundException"):
        client.get_pipeline(name="app", version=3)
    with pytest.raises(ClientError, match="PipelineNotFoundException"):
        client.update_pipeline(pipeline=pipeline(arn, name="other"))


def test_a_transition_says_who_disabled_it_when_and_why(client: Any, arn: str) -> None:
    """Until it is enabled again; the first stage has none."""
    client.create_pipeline(pipeline=pipeline(arn))
    assert states(client) == {"Build": {"enabled": True}}
    key = {"pipelineName": "app", "stageName": "Build", "transitionType": "Inbound"}
    client.disable_stage_transition(**key, reason="standby of epoch 1")
    state = states(client)["Build"]
    assert (state["enabled"], state["disabledReason"]) == (False, "standby of epoch 1")
    assert state["lastChangedBy"].startswith("arn:aws:iam::")
    client.enable_stage_transition(**key)
    assert states(client)["Build"]["enabled"] is True
    assert "disabledReason" not in states(client)["Build"]
    with pytest.raises(ClientError, match="StageNotFoundException"):
        client.enable_stage_transition(**key | {"stageName": "Deploy"})


NOT_A_STRUCTURE: list[tuple[dict[str, Any], str]] = [
    ({"stages": [stage(source())]}, "Pipeline has only 1 stage"),
    ({"stages": [stage(build()), stage(source())]}, "should start with a stage that only contains"),
    (
        {"stages": [stage(source()), stage(source(name="S2", outputArtifacts=[{"name": "X"}]))]},
        "only be included in the first stage",
    ),
    ({"stages": [stage(source()), stage(build()), stage(build())]}, "is used more than once"),
    ({"stages": [stage(source()), stage(build(), build())]}, "is used more than once in stage"),
    (
        {"stages": [stage(source()), stage(action("Build", "Bamboo"))]},
        "Provider: 'Bamboo', Owner: 'AWS', Version: '1'.* is not available in region AP_NORTHEAST_2",
    ),
    ({"stages": [stage(source()), stage(build(configuration={}))]}, "required .*'ProjectName'"),
    ({"stages": [stage(source()), stage(build(inputArtifacts=[]))]}, "less than the minimum count"),
    (
        {"stages": [stage(source()), stage(build(inputArtifacts=[{"name": "Kode"}]))]},
        "Input Artifact Bundle Kode in action Build is not declared",
    ),
    (
        {"stages": [stage(source()), stage(build(outputArtifacts=[{"name": "Code"}]))]},
        "must be unique within the pipeline",
    ),
    ({"artifactStores": {SEOUL: {"type": "S3", "location": "b-1"}}}, "cannot use both"),
    (
        {"stages": [stage(source()), stage(build(region=TOKYO))]},
        "actions in more than one region",
    ),
    (
        {
            "pipelineType": "V1",
            "triggers": [
                {
                    "providerType": "CodeStarSourceConnection",
                    "gitConfiguration": {"sourceActionName": "Source"},
                }
            ],
        },
        "can only be used with V2",
    ),
    ({"pipelineType": "V1", "executionMode": "QUEUED"}, "QUEUED or PARALLEL mode"),
    (
        {
            "triggers": [
                {
                    "providerType": "CodeStarSourceConnection",
                    "gitConfiguration": {"sourceActionName": "Build"},
                }
            ]
        },
        "Triggers for connections must reference",
    ),
    ({"variables": [{"name": "A"}, {"name": "A"}]}, "Variable names must be unique"),
]


@pytest.mark.parametrize(
    ("changed", "told"), NOT_A_STRUCTURE, ids=[one[1] for one in NOT_A_STRUCTURE]
)
def test_a_pipeline_that_could_not_run_is_refused(
    client: Any, arn: str, changed: dict[str, Any], told: str
) -> None:
    """As AWS does, with its words; nothing is made."""
    with pytest.raises(ClientError, match=told):
        client.create_pipeline(pipeline=pipeline(arn, **changed))
    assert client.list_pipelines()["pipelines"] == []


def test_an_artifact_must_be_made_before_it_is_used(client: Any, arn: str) -> None:
    """In the same stage only by an action with a lower run order."""
    one = build(name="One", outputArtifacts=[{"name": "Image"}])
    two = build(name="Two", inputArtifacts=[{"name": "Image"}])
    both = [stage(source()), stage(one, two, name="Build")]
    with pytest.raises(ClientError, match="Input Artifact Bundle Image in action Two"):
        client.create_pipeline(pipeline=pipeline(arn, stages=both))
    both = [stage(source()), stage(one, two | {"runOrder": 2}, name="Build")]
    client.create_pipeline(pipeline=pipeline(arn, stages=both))


def test_a_role_that_does_not_let_codepipeline_in_is_refused(still: StillWorld) -> None:
    """As is one that does not exist."""
    other = role(still, "codebuild", "other")
    for arn in (other, "arn:aws:iam::111122223333:role/none"):
        with pytest.raises(ClientError, match="is not authorized to perform AssumeRole on role"):
            still.aws("codepipeline").create_pipeline(pipeline=pipeline(arn))


def test_tags_come_and_go(client: Any, arn: str) -> None:
    """By the pipeline's ARN."""
    client.create_pipeline(pipeline=pipeline(arn))
    of = {"resourceArn": client.get_pipeline(name="app")["metadata"]["pipelineArn"]}
    client.tag_resource(**of, tags=[{"key": "a", "value": "1"}, {"key": "b", "value": "2"}])
    client.untag_resource(**of, tagKeys=["a"])
    assert client.list_tags_for_resource(**of)["tags"] == [{"key": "b", "value": "2"}]
    with pytest.raises(ClientError, match="InvalidTagsException"):
        client.tag_resource(**of, tags=[{"key": "aws:a", "value": "1"}])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.list_tags_for_resource(resourceArn=of["resourceArn"] + "x")


def test_nothing_is_ever_run(client: Any, arn: str) -> None:
    """A caller hears so at once."""
    client.create_pipeline(pipeline=pipeline(arn))
    with pytest.raises(ClientError, match="not implemented by the local Regions"):
        client.start_pipeline_execution(name="app")


def test_pipelines_and_transitions_are_kept_over_a_restart(
    still: StillWorld, client: Any, arn: str
) -> None:
    """What a standby was told is not forgotten."""
    client.create_pipeline(pipeline=pipeline(arn))
    key = {"pipelineName": "app", "stageName": "Build", "transitionType": "Inbound"}
    client.disable_stage_transition(**key, reason="standby")
    service = still.registry._services["codepipeline"]
    assert isinstance(service, CodePipeline)
    kept = service.dump()
    service.load({})
    assert client.list_pipelines()["pipelines"] == []
    service.load(kept)
    assert states(client)["Build"]["enabled"] is False
