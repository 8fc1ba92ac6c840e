"""The platform's account in both Regions, to be called as boto3 would, while time is moved by hand."""

from dataclasses import dataclass
from typing import Any

import pytest

from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws.service import Fault
from platform_pipelines.local.world import World
from tests.local.aws import passing

SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"
DAY = passing.DAY


@dataclass
class Account:
    """Calls of the platform's account."""

    world: World
    registry: Registry

    def __call__(self, service: str, operation: str, region: str = SEOUL, /, **params: Any) -> Any:
        """One call. Raises: Fault."""
        return self.registry.ask(service, operation, region, **params)

    def refused(self, service: str, operation: str, region: str = SEOUL, /, **params: Any) -> str:
        """The code with which a call is refused."""
        with pytest.raises(Fault) as told:
            self(service, operation, region, **params)
        return told.value.code

    def wait(self, seconds: float) -> None:
        """Let AWS-like time pass, everything at its own time."""
        passing.let_pass(self.world, seconds)

    def network(self) -> tuple[str, list[str]]:
        """A VPC in Seoul, and its subnets in three zones."""
        vpc = self("ec2", "CreateVpc", CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        zones = enumerate(f"{SEOUL}{letter}" for letter in "abc")
        places = [{"CidrBlock": f"10.9.{n}.0/24", "AvailabilityZone": zone} for n, zone in zones]
        made = [self("ec2", "CreateSubnet", VpcId=vpc, **place)["Subnet"] for place in places]
        return vpc, [one["SubnetId"] for one in made]
