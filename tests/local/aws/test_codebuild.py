"""CodeBuild: which projects it takes, and what it says of them."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.aws.deliveries import SEOUL, TOKYO, project, role
from tests.local.aws.stacks import StillWorld

ARN = f"arn:aws:codebuild:{SEOUL}:111122223333:project/app-build"
LINUX = project("")["environment"]


@pytest.fixture
def arn(still: StillWorld) -> str:
    """The role that builds run with."""
    return role(still, "codebuild")


@pytest.fixture
def client(still: StillWorld) -> Any:
    """CodeBuild in Seoul."""
    return still.aws("codebuild")


def test_a_project_is_made_changed_and_gone(client: Any, arn: str) -> None:
    """An update changes what it names; names and ARNs are asked for alike."""
    made = client.create_project(**project(arn))["project"]
    assert (made["arn"], made["timeoutInMinutes"], made["queuedTimeoutInMinutes"]) == (ARN, 60, 480)
    assert made["environment"]["imagePullCredentialsType"] == "CODEBUILD"
    client.update_project(name="app-build", timeoutInMinutes=30)
    found = client.batch_get_projects(names=[ARN, "other"])
    assert found["projectsNotFound"] == ["other"]
    (one,) = found["projects"]
    assert (one["timeoutInMinutes"], one["serviceRole"]) == (30, arn)
    assert client.list_projects()["projects"] == ["app-build"]
    client.delete_project(name="app-build")
    client.delete_project(name="app-build")
    assert client.list_projects()["projects"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.update_project(name="app-build", timeoutInMinutes=30)


def test_a_name_is_taken_once_in_a_region(still: StillWorld, client: Any, arn: str) -> None:
    """The other Region has its own."""
    client.create_project(**project(arn))
    still.aws("codebuild", "tokyo").create_project(**project(arn))
    with pytest.raises(ClientError, match="Project already exists: arn:aws:codebuild"):
        client.create_project(**project(arn))


def test_projects_are_listed_in_the_order_that_is_asked_for(
    still: StillWorld, client: Any, arn: str
) -> None:
    """By name, or by age."""
    for name in ("zz", "aa"):
        client.create_project(**project(arn, name=name))
        still.advance(1)
    assert client.list_projects()["projects"] == ["aa", "zz"]
    assert client.list_projects(sortBy="CREATED_TIME")["projects"] == ["zz", "aa"]
    assert client.list_projects(sortOrder="DESCENDING")["projects"] == ["zz", "aa"]


NOT_A_PROJECT: list[tuple[dict[str, Any], str]] = [
    ({"artifacts": {"type": "NO_ARTIFACTS"}}, "both sourceType, and artifactType"),
    (
        {"source": {"type": "GITHUB"}, "artifacts": {"type": "NO_ARTIFACTS"}},
        "Project source location is required",
    ),
    (
        {"source": {"type": "NO_SOURCE"}, "artifacts": {"type": "NO_ARTIFACTS"}},
        "buildspec must be given",
    ),
    (
        {
            "source": {"type": "NO_SOURCE", "location": "l", "buildspec": "b"},
            "artifacts": {"type": "NO_ARTIFACTS"},
        },
        "source location must be empty",
    ),
    (
        {
            "source": {"type": "NO_SOURCE", "buildspec": "b"},
            "artifacts": {"type": "S3"},
        },
        "should have a location",
    ),
    (
        {"environment": LINUX | {"environmentVariables": [{"name": "CODEBUILD_X", "value": "1"}]}},
        "can start with CODEBUILD_",
    ),
    (
        {"environment": LINUX | {"environmentVariables": [{"name": "X", "value": "1"}] * 2}},
        "cannot be duplicated",
    ),
    ({"environment": LINUX | {"computeType": "BUILD_LAMBDA_1GB"}}, "Invalid compute type"),
    (
        {"environment": LINUX | {"type": "WINDOWS_CONTAINER", "privilegedMode": True}},
        "PrivilegedMode is not supported",
    ),
    ({"environment": LINUX | {"imagePullCredentialsType": "SERVICE_ROLE"}}, "Curated images"),
    ({"cache": {"type": "S3"}}, "location must be a valid S3 bucket"),
    ({"cache": {"type": "LOCAL"}}, "modes are required"),
    (
        {"encryptionKey": f"arn:aws:kms:{TOKYO}:111122223333:key/k"},
        "region does not match current region",
    ),
    ({"badgeEnabled": True}, "Build badges are not supported"),
]


@pytest.mark.parametrize(("changed", "told"), NOT_A_PROJECT, ids=[one[1] for one in NOT_A_PROJECT])
def test_a_project_that_could_not_build_is_refused(
    client: Any, arn: str, changed: dict[str, Any], told: str
) -> None:
    """When it is made, and when it is changed so."""
    with pytest.raises(ClientError, match=told):
        client.create_project(**project(arn, **changed))
    client.create_project(**project(arn))
    with pytest.raises(ClientError, match=told):
        client.update_project(**project(arn, **changed))


def test_a_role_that_does_not_let_codebuild_in_is_refused(still: StillWorld, client: Any) -> None:
    """With AWS's three things to look at."""
    other = role(still, "codepipeline", "other")
    with pytest.raises(ClientError, match="CodeBuild is not authorized to perform: sts:AssumeRole"):
        client.create_project(**project(other))


def test_nothing_is_ever_built(client: Any, arn: str) -> None:
    """A caller hears so at once."""
    client.create_project(**project(arn))
    with pytest.raises(ClientError, match="not implemented by the local Regions"):
        client.start_build(projectName="app-build")
