"""Stack `delivery`: pipelines equal in both Regions, and roles that can do one stage's work each."""

import json
import re
from typing import Any

import pytest
import yaml

from cfn import builds
from tests.cfn.templates import PLATFORM, in_stack, properties, resources

SERVICES = ("peccy-web", "peccy-app")
REGIONS = ("seoul", "tokyo")
# What CodeBuild itself sets, or a shell.
GIVEN = {"AWS_REGION", "SECONDS", "TMPDIR"}

each_service = pytest.mark.parametrize("service", ["PeccyWeb", "PeccyApp"])
each_region = pytest.mark.parametrize("alias", REGIONS)


def _pipeline(alias: str, service: str) -> Any:
    return properties(alias, "delivery", f"Pipeline{service}")


def _statements(alias: str, title: str) -> list[dict[str, Any]]:
    role = properties(alias, "delivery", title)
    (policy,) = role["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def _actions(alias: str, title: str) -> set[str]:
    return {action for one in _statements(alias, title) for action in one["Action"]}


def test_each_service_with_a_source_has_a_pipeline_of_the_same_name_in_both_regions() -> None:
    """Whoever is active builds; nothing in the template says who."""
    names = [one["Name"] for one in in_stack("AWS::CodePipeline::Pipeline", "delivery")]
    assert sorted(names) == sorted(f"peccy-{service}" for _ in REGIONS for service in SERVICES)
    for pipeline in in_stack("AWS::CodePipeline::Pipeline", "delivery"):
        assert "DisableInboundStageTransitions" not in pipeline


@each_service
@each_region
def test_a_commit_is_tested_built_and_awaited_in_the_other_region(alias: str, service: str) -> None:
    """Four stages; the one after the source is where the standby's pipeline is held."""
    pipeline = _pipeline(alias, service)
    assert (pipeline["PipelineType"], pipeline["ExecutionMode"]) == ("V2", "SUPERSEDED")
    assert [one["Name"] for one in pipeline["Stages"]] == ["Source", "Test", "Build", "Parity"]


def test_a_push_to_the_branch_starts_it() -> None:
    """The trigger names the source action and the branch; the source reads the same branch."""
    pipeline = _pipeline("seoul", "PeccyApp")
    (trigger,) = pipeline["Triggers"]
    (push,) = trigger["GitConfiguration"]["Push"]
    (source,) = pipeline["Stages"][0]["Actions"]
    assert trigger["GitConfiguration"]["SourceActionName"] == source["Name"]
    assert push == {"Branches": {"Includes": ["main"]}}
    assert source["Configuration"]["FullRepositoryId"] == "example/peccy-app"
    assert source["Configuration"]["BranchName"] == "main"


@each_service
def test_every_artifact_and_variable_comes_from_an_earlier_stage(service: str) -> None:
    """CodePipeline refuses a pipeline whose stages do not fit together."""
    artifacts: set[str] = set()
    namespaces: set[str] = set()
    for stage in _pipeline("seoul", service)["Stages"]:
        (action,) = stage["Actions"]
        assert {one["Name"] for one in action.get("InputArtifacts", [])} <= artifacts
        used = re.findall(r"#\{(\w+)\.", json.dumps(action["Configuration"]))
        assert set(used) <= namespaces
        artifacts |= {one["Name"] for one in action.get("OutputArtifacts", [])}
        namespaces.add(action["Namespace"])


@each_service
@pytest.mark.parametrize("kind", ["Test", "Build", "Parity"])
def test_every_variable_of_a_buildspec_is_given(service: str, kind: str) -> None:
    """By the project, by the pipeline's action, or by CodeBuild."""
    project = properties("seoul", "delivery", f"Project{service}{kind}")
    spec = project["Source"]["BuildSpec"]
    given = {one["Name"] for one in project["Environment"]["EnvironmentVariables"]}
    for stage in _pipeline("seoul", service)["Stages"]:
        (action,) = stage["Actions"]
        if stage["Name"] == kind:
            given |= {
                one["name"]
                for one in json.loads(action["Configuration"].get("EnvironmentVariables", "[]"))
            }
    made = set(re.findall(r"\b([A-Z_]+)=", spec))
    assert set(re.findall(r"\$\{?([A-Z_]+)", spec)) <= given | made | GIVEN


def test_the_pipeline_hands_on_what_the_build_exports() -> None:
    """The digest is a variable of stage Build; parity is judged by it and not by a tag alone."""
    spec = yaml.safe_load(
        properties("seoul", "delivery", "ProjectPeccyAppBuild")["Source"]["BuildSpec"]
    )
    assert spec["env"]["exported-variables"] == ["DIGEST"]
    (action,) = _pipeline("seoul", "PeccyApp")["Stages"][3]["Actions"]
    variables = json.loads(action["Configuration"]["EnvironmentVariables"])
    assert {one["name"]: one["value"] for one in variables} == {
        "COMMIT": "#{Source.CommitId}",
        "DIGEST": "#{Build.DIGEST}",
    }


def test_every_build_ends() -> None:
    """Queued, running and waiting have limits; the wait ends, and says why, before its project."""
    for project in in_stack("AWS::CodeBuild::Project", "delivery"):
        assert project["TimeoutInMinutes"] <= 45
        assert project["QueuedTimeoutInMinutes"] <= 30
    assert builds.PARITY.minutes * 60 > builds.WAIT_SECONDS


@each_service
@each_region
def test_a_test_reaches_no_registry(alias: str, service: str) -> None:
    """It runs whatever the repository says."""
    assert not any(one.startswith("ecr:") for one in _actions(alias, f"Role{service}Test"))


@each_region
def test_only_the_build_pushes_and_only_to_its_own_repository(alias: str) -> None:
    """Nobody can push the other service's images, or into the other Region."""
    region = PLATFORM.region(alias).name
    for title, role in resources(alias, "delivery").items():
        if role["Type"] == "AWS::IAM::Role":
            pushes = [one for one in _statements(alias, title) if "ecr:PutImage" in one["Action"]]
            assert bool(pushes) == title.endswith("Build")
            for one in pushes:
                name = "peccy-web" if "Web" in title else "peccy-app"
                assert one["Resource"] == f"arn:aws:ecr:{region}:111122223333:repository/{name}"


@each_service
@each_region
def test_waiting_for_the_other_region_only_looks_there(alias: str, service: str) -> None:
    """No other action on any registry."""
    found = [
        one
        for one in _statements(alias, f"Role{service}Parity")
        if any(action.startswith("ecr:") for action in one["Action"])
    ]
    other = PLATFORM.other(alias).name
    name = "peccy-web" if "Web" in service else "peccy-app"
    assert [(one["Action"], one["Resource"]) for one in found] == [
        (["ecr:DescribeImages"], f"arn:aws:ecr:{other}:111122223333:repository/{name}")
    ]


@each_region
def test_no_role_may_do_something_to_everything(alias: str) -> None:
    """But the one call that takes no resource; and no action is a pattern."""
    for title, role in resources(alias, "delivery").items():
        if role["Type"] == "AWS::IAM::Role":
            for one in _statements(alias, title):
                assert not any("*" in action for action in one["Action"])
                assert one["Resource"] != "*" or one["Action"] == ["ecr:GetAuthorizationToken"]


@each_region
def test_a_role_is_taken_for_its_own_project_or_pipeline_only(alias: str) -> None:
    """Somebody else's project cannot borrow it."""
    for role in resources(alias, "delivery").values():
        if role["Type"] == "AWS::IAM::Role":
            (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            (source,) = trust["Condition"]["ArnLike"]["aws:SourceArn"]
            assert f":{PLATFORM.region(alias).name}:111122223333:" in source
            assert "peccy-peccy-" in source
            assert "*" not in source


def test_a_pipeline_starts_its_own_projects_only() -> None:
    """Three of them, by name."""
    (builds_of_it,) = (
        one
        for one in _statements("tokyo", "RolePeccyWebPipeline")
        if "codebuild:StartBuild" in one["Action"]
    )
    prefix = "arn:aws:codebuild:ap-northeast-1:111122223333:project/peccy-peccy-web"
    assert builds_of_it["Resource"] == [f"{prefix}-{kind}" for kind in ("test", "build", "parity")]
    names = {one["Name"] for one in in_stack("AWS::CodeBuild::Project", "delivery")}
    assert {arn.rpartition("/")[2] for arn in builds_of_it["Resource"]} <= names


@each_service
@each_region
def test_a_pipeline_may_look_at_its_bucket(alias: str, service: str) -> None:
    """CodePipeline asks for these before it puts the first artifact there."""
    bucket = f"arn:aws:s3:::{PLATFORM.artifacts_bucket(PLATFORM.region(alias))}"
    (found,) = (
        one for one in _statements(alias, f"Role{service}Pipeline") if one["Resource"] == bucket
    )
    asked = {"s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"}
    assert set(found["Action"]) == asked


@each_region
def test_artifacts_are_encrypted_with_the_regions_key_and_go_after_a_while(alias: str) -> None:
    """The pipeline, its projects and the bucket name the same key."""
    bucket = properties(alias, "delivery", "Artifacts")
    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"] == {"Ref": "Key"}
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    (expiry,) = bucket["LifecycleConfiguration"]["Rules"]
    assert expiry["ExpirationInDays"] == 30
    for service in ("PeccyWeb", "PeccyApp"):
        store = _pipeline(alias, service)["ArtifactStore"]
        assert store["EncryptionKey"] == {"Id": {"Ref": "Key"}, "Type": "KMS"}
        assert store["Location"] == {"Ref": "Artifacts"}


def test_a_service_without_a_source_is_not_built() -> None:
    """Without any there is nothing but the bucket: a connection would ask a person for nothing."""
    app = PLATFORM.services[1]
    one = PLATFORM.model_copy(
        update={"services": (PLATFORM.services[0].model_copy(update={"source": None}), app)}
    )
    assert "PipelinePeccyWeb" not in resources("seoul", "delivery", one)
    assert "PipelinePeccyApp" in resources("seoul", "delivery", one)
    none = PLATFORM.model_copy(update={"services": (app.model_copy(update={"source": None}),)})
    assert resources("seoul", "delivery", none).keys() == {"Artifacts", "ArtifactsPolicy"}
