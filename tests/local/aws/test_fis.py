"""Fault Injection Service: templates whose parts fit together."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.local.aws.deliveries import SEOUL, TOKYO, experiment, role
from tests.local.aws.stacks import StillWorld

ZONE = experiment("")["targets"]["Zone"]
CUT = experiment("")["actions"]["Cut"]


@pytest.fixture
def arn(still: StillWorld) -> str:
    """The role that experiments run with."""
    return role(still, "fis")


@pytest.fixture
def client(still: StillWorld) -> Any:
    """FIS in Seoul."""
    return still.aws("fis")


def test_a_template_is_made_changed_and_gone(client: Any, arn: str) -> None:
    """An update changes what it names."""
    made = client.create_experiment_template(**experiment(arn))["experimentTemplate"]
    assert made["id"].startswith("EXT")
    assert made["arn"].endswith(f"{SEOUL}:111122223333:experiment-template/{made['id']}")
    assert made["experimentOptions"]["emptyTargetResolutionMode"] == "fail"
    options = {"emptyTargetResolutionMode": "skip"}
    client.update_experiment_template(id=made["id"], description="new", experimentOptions=options)
    found = client.get_experiment_template(id=made["id"])["experimentTemplate"]
    assert (found["description"], found["actions"]) == ("new", made["actions"])
    assert found["experimentOptions"]["emptyTargetResolutionMode"] == "skip"
    listed = client.list_experiment_templates()["experimentTemplates"]
    assert [one["id"] for one in listed] == [made["id"]]
    client.delete_experiment_template(id=made["id"])
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.get_experiment_template(id=made["id"])


def test_a_request_that_is_repeated_makes_one_template(client: Any, arn: str) -> None:
    """By its token."""
    first = client.create_experiment_template(**experiment(arn))["experimentTemplate"]
    assert client.create_experiment_template(**experiment(arn))["experimentTemplate"] == first
    client.create_experiment_template(**experiment(arn, clientToken="other"))
    assert len(client.list_experiment_templates()["experimentTemplates"]) == 2


def cut(**changed: Any) -> dict[str, Any]:
    """The only action, with a change."""
    return {"actions": {"Cut": CUT | changed}}


def zone(**changed: Any) -> dict[str, Any]:
    """The only target, with a change."""
    return {"targets": {"Zone": ZONE | changed}}


UNFIT: list[tuple[dict[str, Any], str]] = [
    (cut(actionId="aws:network:latency"), "action ID aws:network:latency .* is not valid"),
    (cut(parameters={"duration": "PT2M"}), "required parameter scope of action Cut is missing"),
    (cut(parameters=CUT["parameters"] | {"x": "1"}), "parameter x of action Cut"),
    (cut(parameters={"duration": "2 min", "scope": "all"}), "is not a duration"),
    (cut(targets={"VPCs": "Zone"}), "Action Cut requires the targets: Subnets"),
    (cut(targets={"Subnets": "Z"}), "target Z, which does not exist"),
    (cut(actionId="aws:rds:failover-db-cluster", parameters={}), "requires the targets: Clusters"),
    (cut(startAfter=["None"]), "action None in startAfter does not exist"),
    (cut(startAfter=["Cut"]), "wait for each other"),
    (zone(resourceType="aws:rds:db", parameters={}), "cannot act on target Zone"),
    (zone(resourceType="aws:ec2:moon"), "resource type aws:ec2:moon of target Zone"),
    (zone(selectionMode="SOME"), "selection mode of target Zone"),
    (zone(parameters={"zone": "a"}), "parameter zone of target Zone"),
    (zone(resourceArns=[f"arn:aws:ec2:{SEOUL}:1:subnet/s"]), "cannot be combined"),
    ({"targets": {"Zone": ZONE, "Spare": ZONE}}, "Target Spare is not used"),
    ({"stopConditions": []}, "At least one stop condition"),
    ({"stopConditions": [{"source": "aws:sns:topic"}]}, "stop condition source"),
    (
        {
            "stopConditions": [
                {
                    "source": "aws:cloudwatch:alarm",
                    "value": f"arn:aws:cloudwatch:{TOKYO}:111122223333:alarm:stop",
                }
            ]
        },
        "is not an alarm of this Region",
    ),
    ({"logConfiguration": {"logSchemaVersion": 7}}, "log schema version"),
]


@pytest.mark.parametrize(("changed", "told"), UNFIT, ids=[one[1] for one in UNFIT])
def test_a_template_whose_parts_do_not_fit_is_refused(
    client: Any, arn: str, changed: dict[str, Any], told: str
) -> None:
    """As not valid; nothing is made."""
    with pytest.raises(ClientError, match=f"ValidationException.*{told}"):
        client.create_experiment_template(**experiment(arn, **changed))
    assert client.list_experiment_templates()["experimentTemplates"] == []


def test_a_role_must_let_the_service_in(still: StillWorld, client: Any) -> None:
    """Else no experiment could ever start."""
    other = role(still, "codebuild", "other")
    with pytest.raises(ClientError, match="cannot be assumed"):
        client.create_experiment_template(**experiment(other))


def test_tags_come_and_go(client: Any, arn: str) -> None:
    """By the template's ARN; without keys all of them go."""
    made = client.create_experiment_template(**experiment(arn, tags={"a": "1"}))
    of = {"resourceArn": made["experimentTemplate"]["arn"]}
    client.tag_resource(**of, tags={"b": "2"})
    client.untag_resource(**of, tagKeys=["a"])
    assert client.list_tags_for_resource(**of)["tags"] == {"b": "2"}
    client.untag_resource(**of)
    assert client.list_tags_for_resource(**of)["tags"] == {}


def test_no_experiment_is_ever_started(client: Any, arn: str) -> None:
    """The local Regions break by their own controls."""
    made = client.create_experiment_template(**experiment(arn))["experimentTemplate"]
    with pytest.raises(ClientError, match="not implemented by the local Regions"):
        client.start_experiment(clientToken="t", experimentTemplateId=made["id"])
