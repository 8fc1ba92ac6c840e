"""Another team's platform.yaml: other Regions, three services, two databases, no chat, no pipelines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

import cfn
from cfn import Unit
from platform_pipelines import model
from platform_pipelines.model import Platform
from tests.cfn.test_lint import findings

FILE = Path(__file__).with_name("second.yaml")
PLATFORM = model.load(FILE)
UNITS = cfn.units(PLATFORM)
HOME = [unit for unit in UNITS if unit.region == PLATFORM.home_region]
# The longest names that platform.yaml takes.
LONG = "a-name-of-two-and-thirty-letters"
# What AWS takes at most, of names that are made of several of ours.
LIMITS = {
    ("AWS::CodeBuild::Project", "Name"): 150,
    ("AWS::CodeConnections::Connection", "ConnectionName"): 32,
    ("AWS::CodePipeline::Pipeline", "Name"): 100,
    ("AWS::CodeStarNotifications::NotificationRule", "Name"): 64,
    ("AWS::EKS::Cluster", "Name"): 100,
    ("AWS::EKS::Nodegroup", "NodegroupName"): 63,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::RDS::DBCluster", "DBClusterIdentifier"): 63,
    ("AWS::RDS::DBInstance", "DBInstanceIdentifier"): 63,
    ("AWS::RDS::GlobalCluster", "GlobalClusterIdentifier"): 63,
    ("AWS::S3::Bucket", "BucketName"): 63,
}


def _of_this_repository(text: str) -> list[str]:
    """What a template says that only the repository's own platform may say."""
    return [word for word in ("peccy", "seoul", "tokyo", "ap-northeast", "1111") if word in text]


def _longest() -> Platform:
    """Every name as long as it may be."""
    data: dict[str, Any] = yaml.safe_load(FILE.read_text())
    first = data["regions"][0]["alias"]
    data["regions"][0]["alias"] = data["home"] = LONG
    for database in data["databases"]:
        database["instances"][LONG] = database["instances"].pop(first)
    for one, name in zip(data["databases"], ("d1", "d2"), strict=True):
        one["name"] = name
    data["services"][0] |= {"name": LONG, "source": {"repository": "acme/shop"}}
    return model.parse(yaml.safe_dump(data))


def _names(platform: Platform) -> Iterator[tuple[tuple[str, str], str]]:
    for text in cfn.rendered(platform).values():
        for one in json.loads(text)["Resources"].values():
            for name, value in one["Properties"].items():
                if (one["Type"], name) in LIMITS:
                    yield (one["Type"], name), value


@pytest.mark.parametrize("unit", HOME, ids=lambda unit: unit.stack.name)
def test_its_templates_are_clean(unit: Unit) -> None:
    """cfn-lint finds nothing, in the Region where the template lives; the other one's are alike."""
    assert findings(cfn.render(PLATFORM, unit), unit.region.name) == []


def test_its_templates_know_nothing_of_another_platform() -> None:
    """No name, account or Region of the repository's own platform.yaml is written into `cfn`."""
    assert {key: _of_this_repository(text) for key, text in cfn.rendered(PLATFORM).items()} == {
        unit.key: [] for unit in UNITS
    }


def test_it_has_each_of_what_it_declares() -> None:
    """Three services, two file systems, two databases, in both Regions; no pipeline and no chat."""
    texts = {key: json.loads(text)["Resources"] for key, text in cfn.rendered(PLATFORM).items()}
    for region in PLATFORM.regions:
        made = [
            one["Type"]
            for key, all_ in texts.items()
            if key[0] == region.alias
            for one in all_.values()
        ]
        assert made.count("AWS::ECR::Repository") == 3
        assert made.count("AWS::CertificateManager::Certificate") == 3
        assert made.count("AWS::EFS::FileSystem") == 2
        assert made.count("AWS::RDS::DBCluster") == 2
        assert made.count("AWS::EKS::Nodegroup") == 2
        assert "AWS::CodePipeline::Pipeline" not in made
        assert "AWS::Chatbot::SlackChannelConfiguration" not in made


def test_the_longest_names_are_names_that_aws_takes() -> None:
    """What platform.yaml accepts can be deployed."""
    found = list(_names(_longest()))
    assert {key for key, _ in found} == LIMITS.keys()
    for key, name in found:
        assert len(name) <= LIMITS[key], (key, name)


def test_a_member_that_was_rebuilt_often_still_has_a_name() -> None:
    """The generation is part of the identifier."""
    platform = _longest()
    (database, _), home = platform.databases, platform.home_region
    member = platform.member(database, home).model_copy(update={"generation": 99})
    again = platform.rebuilt({(database.name, home.alias): member})
    assert len(f"{again.db_cluster_id(database, home)}-15") <= 63
