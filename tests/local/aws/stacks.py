"""Stacks as a user of boto3 applies them: by change sets, followed until they end."""

import itertools
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

import cfn
from cfn import Unit
from tests.local_world import LocalWorld

VERSION = "8.0.mysql_aurora.3.10.0"
ROLE = "arn:aws:iam::111122223333:role/any"
PATIENCE = 20.0  # real seconds
NOTHING_TO_DO = (
    "The submitted information didn't contain changes. "
    "Submit different information to create a change set."
)

Template = Mapping[str, Any]


def template(**resources: Mapping[str, Any]) -> dict[str, Any]:
    """A template of these resources."""
    return {"Resources": resources}


def resource(kind: str, **properties: Any) -> dict[str, Any]:
    """A resource of a template."""
    return {"Type": kind, "Properties": properties}


def global_cluster(identifier: str, **properties: Any) -> dict[str, Any]:
    """An Aurora global cluster."""
    return resource(
        "AWS::RDS::GlobalCluster",
        GlobalClusterIdentifier=identifier,
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        **properties,
    )


def member(identifier: str, **properties: Any) -> dict[str, Any]:
    """A DB cluster."""
    return resource(
        "AWS::RDS::DBCluster",
        DBClusterIdentifier=identifier,
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        **properties,
    )


def eks_cluster(name: str) -> dict[str, Any]:
    """An EKS cluster."""
    return resource(
        "AWS::EKS::Cluster",
        Name=name,
        RoleArn=ROLE,
        ResourcesVpcConfig={"SubnetIds": ["subnet-1", "subnet-2"]},
    )


def change_of(planned: dict[str, Any], name: str) -> dict[str, Any]:
    """What a change set says of one resource."""
    found = (one["ResourceChange"] for one in planned["Changes"])
    return next(one for one in found if one["LogicalResourceId"] == name)


@dataclass
class Stacks:
    """The stacks of one world."""

    world: LocalWorld
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def client(self, alias: str) -> Any:
        """CloudFormation of a Region."""
        return self.world.aws("cloudformation", alias)

    def plan(
        self, alias: str, name: str, body: Template | str, **parameters: str
    ) -> dict[str, Any]:
        """Create a change set and describe it, with property values."""
        client, text = self.client(alias), body if isinstance(body, str) else json.dumps(body)
        exists = self.describe(alias, name) is not None
        made = client.create_change_set(
            StackName=name,
            ChangeSetName=f"plan-{next(self._numbers)}",
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateBody=text,
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
            ],
            Capabilities=["CAPABILITY_IAM"],
            **({} if exists else {"OnStackFailure": "DELETE"}),
        )
        described: dict[str, Any] = client.describe_change_set(
            ChangeSetName=made["Id"], IncludePropertyValues=True
        )
        return described

    def apply(self, alias: str, name: str, body: Template | str, **parameters: str) -> str:
        """Plan and execute; the stack's status at the end, or the plan's reason for failing."""
        planned = self.plan(alias, name, body, **parameters)
        if planned["Status"] == "FAILED":
            return str(planned["StatusReason"])
        self.client(alias).execute_change_set(ChangeSetName=planned["ChangeSetId"])
        return self.end(alias, planned["StackId"])

    def apply_unit(self, unit: Unit) -> str:
        """Apply a stack of the platform; its parameters are other stacks' outputs."""
        alias, name = unit.region.alias, self.name(unit)
        parameters = {
            key: self.outputs(alias, self.world.platform.stack_name(output.stack))[output.key]
            for key, output in unit.stack.parameters.items()
        }
        return self.apply(alias, name, cfn.render(self.world.platform, unit), **parameters)

    def name(self, unit: Unit) -> str:
        """The stack's name in AWS."""
        return self.world.platform.stack_name(unit.stack.name)

    def describe(self, alias: str, name: str) -> dict[str, Any] | None:
        """The stack of this name or id."""
        try:
            found: dict[str, Any] = self.client(alias).describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return found

    def outputs(self, alias: str, name: str) -> dict[str, str]:
        """What a stack gives."""
        stack = self.describe(alias, name)
        assert stack is not None
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def failures(self, alias: str, stack_id: str) -> dict[str, str]:
        """The reasons of a stack's failed resources."""
        events = self.client(alias).describe_stack_events(StackName=stack_id)["StackEvents"]
        return {
            event["LogicalResourceId"]: event["ResourceStatusReason"]
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        }

    def end(self, alias: str, stack_id: str) -> str:
        """Wait until a stack's operation has ended."""
        limit, status = time.monotonic() + PATIENCE, ""
        while time.monotonic() < limit:
            stack = self.describe(alias, stack_id)
            assert stack is not None
            status = str(stack["StackStatus"])
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.02)
        raise AssertionError(f"{stack_id} is still {status}")
