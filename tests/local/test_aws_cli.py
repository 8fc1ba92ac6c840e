"""The AWS CLI, as a person at a terminal uses it on the local Regions."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.local_world import LocalWorld

CLI = Path(sys.executable).parent / "aws"
TOKYO = "ap-northeast-1"


class Terminal:
    """A shell with dummy credentials in which `aws` is called."""

    def __init__(self, world: LocalWorld, home: Path) -> None:
        self._url = world.url
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        self._environment: Mapping[str, str] = {
            **kept,
            "HOME": str(home),
            "AWS_ACCESS_KEY_ID": world.platform.account,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_PAGER": "",
        }

    def run(
        self, command: str, region: str = TOKYO, output: str = "json"
    ) -> subprocess.CompletedProcess[str]:
        """`aws … command`, whatever comes of it."""
        options = ["--endpoint-url", self._url, "--region", region, "--output", output]
        return subprocess.run(
            [str(CLI), *options, *command.split()],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def json(self, command: str, region: str = TOKYO) -> Any:
        """What a command prints as JSON; None if it prints nothing."""
        done = self.run(command, region)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if done.stdout.strip() else None

    def text(self, command: str, region: str = TOKYO) -> list[list[str]]:
        """What a command prints as text: its lines, cut at tabs."""
        done = self.run(command, region, output="text")
        assert done.returncode == 0, done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]


@pytest.fixture
def aws(local_regions: LocalWorld, tmp_path: Path) -> Terminal:
    """A terminal on the world that the session shares."""
    return Terminal(local_regions, tmp_path)


LOOKS = [
    ("sts get-caller-identity", "Account"),
    ("rds describe-global-clusters", "GlobalClusters"),
    ("rds describe-db-clusters", "DBClusters"),
    ("eks list-clusters", "clusters"),
    ("efs describe-file-systems", "FileSystems"),
    ("ecr describe-repositories", "repositories"),
    ("dynamodb list-tables", "TableNames"),
    ("cloudformation describe-stacks", "Stacks"),
    ("ec2 describe-vpcs", "Vpcs"),
    ("s3api list-buckets", "Buckets"),
    ("cloudwatch describe-alarms", "MetricAlarms"),
    ("route53 list-hosted-zones", "HostedZones"),
]


@pytest.mark.parametrize(("command", "key"), LOOKS)
def test_a_look_prints_json(aws: Terminal, command: str, key: str) -> None:
    """Every service that the platform uses, in each of AWS's protocols."""
    assert key in aws.json(command)


def test_who_calls_is_the_account_of_the_key(aws: Terminal, local_regions: LocalWorld) -> None:
    """In text, one value without anything around it."""
    said = aws.text("sts get-caller-identity --query Account")
    assert said == [[local_regions.platform.account]]


def test_what_one_command_makes_the_next_one_shows(aws: Terminal) -> None:
    """A file system, in JSON and in text, in its own Region only."""
    made = aws.json("efs create-file-system --creation-token cli --encrypted --tags Key=a,Value=b")
    try:
        assert (made["CreationToken"], made["Tags"]) == ("cli", [{"Key": "a", "Value": "b"}])
        look = "efs describe-file-systems --creation-token cli"
        assert [one["FileSystemId"] for one in aws.json(look)["FileSystems"]] == [
            made["FileSystemId"]
        ]
        rows = aws.text(f"{look} --query FileSystems[].[FileSystemId,CreationToken]")
        assert rows == [[made["FileSystemId"], "cli"]]
        assert aws.json(look, region="ap-northeast-2")["FileSystems"] == []
    finally:
        aws.json(f"efs delete-file-system --file-system-id {made['FileSystemId']}")


def test_pages_are_followed_and_cut(aws: Terminal) -> None:
    """--page-size asks for small pages, --max-items stops and says where to go on."""
    names = [f"cli/{letter}" for letter in "abc"]
    for name in names:
        aws.json(f"ecr create-repository --repository-name {name}")
    try:
        every = aws.json("ecr describe-repositories --page-size 2")["repositories"]
        assert {one["repositoryName"] for one in every} >= set(names)
        first = aws.json("ecr describe-repositories --page-size 1 --max-items 2")
        rest = aws.json(f"ecr describe-repositories --starting-token {first['NextToken']}")
        seen = [one["repositoryName"] for one in (*first["repositories"], *rest["repositories"])]
        assert sorted(seen) == sorted(one["repositoryName"] for one in every)
    finally:
        for name in names:
            aws.json(f"ecr delete-repository --force --repository-name {name}")


ERRORS = [
    ("efs describe-file-systems --file-system-id fs-01234567", "FileSystemNotFound"),
    ("rds describe-db-clusters --db-cluster-identifier nobody", "DBClusterNotFoundFault"),
    ("eks describe-cluster --name nobody", "ResourceNotFoundException"),
    ("route53 get-hosted-zone --id ZNOBODY", "NoSuchHostedZone"),
    ("cloudformation describe-stacks --stack-name nobody", "ValidationError"),
    ("efs delete-file-system --file-system-id odd", "ValidationException"),
    ("lightsail get-instances", "NotImplemented"),
]


@pytest.mark.parametrize(("command", "code"), ERRORS)
def test_an_error_is_told_with_its_code(aws: Terminal, command: str, code: str) -> None:
    """On stderr and by the exit status, as of AWS."""
    done = aws.run(command)
    assert done.returncode in (254, 255)
    assert f"An error occurred ({code}) when calling the" in done.stderr
    assert done.stdout == ""


def test_a_table_has_a_title(aws: Terminal) -> None:
    """The form that people read."""
    done = aws.run("eks list-clusters", output="table")
    assert done.returncode == 0, done.stderr
    assert "ListClusters" in done.stdout
