"""Stacks as a user of boto3 applies them: by change sets, followed until they end.

They live in a world without a server, whose time passes only while somebody waits for a stack.
"""

import functools
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError

import cfn
from cfn import Output, Scope, Unit, Where
from platform_pipelines.local import ministack
from platform_pipelines.local.aws.registry import Registry
from platform_pipelines.local.aws.service import Call, Fault
from platform_pipelines.local.world import World
from platform_pipelines.local.worldclock import Standing
from platform_pipelines.model import Platform

VERSION = "8.0.mysql_aurora.3.10.0"
ROLE = "arn:aws:iam::111122223333:role/any"
CLUSTER = "peccy-seoul"  # the one that Seoul can have
LOOK = 5.0  # AWS-like seconds between two looks at a stack
PATIENCE = 6 * 3600.0  # AWS-like seconds
NOTHING_TO_DO = (
    "The submitted information didn't contain changes. "
    "Submit different information to create a change set."
)

# What the world of a test before may have left in this process.
RESET = ("cloudformation", "ec2", "iam", "kms", "route53", "s3", "secretsmanager", "ssm")

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
    """A DB cluster that dies with its stack."""
    made = resource(
        "AWS::RDS::DBCluster",
        DBClusterIdentifier=identifier,
        Engine="aurora-mysql",
        EngineVersion=VERSION,
        **properties,
    )
    return made | {"DeletionPolicy": "Delete"}


def instance(cluster: str) -> dict[str, Any]:
    """An instance of the template's DB cluster of this name."""
    return resource(
        "AWS::RDS::DBInstance",
        DBClusterIdentifier={"Ref": cluster},
        DBInstanceClass="db.r6g.large",
        Engine="aurora-mysql",
    )


def network(region: str = "ap-northeast-2") -> dict[str, dict[str, Any]]:
    """A VPC and two subnets, for what has to be in one."""
    zones = {"SubnetA": f"{region}a", "SubnetB": f"{region}c"}
    subnets = {
        name: resource(
            "AWS::EC2::Subnet",
            VpcId={"Ref": "Vpc"},
            CidrBlock=f"10.9.{number}.0/24",
            AvailabilityZone=zone,
        )
        for number, (name, zone) in enumerate(zones.items())
    }
    return {"Vpc": resource("AWS::EC2::VPC", CidrBlock="10.9.0.0/16"), **subnets}


def eks_cluster() -> dict[str, Any]:
    """Seoul's EKS cluster, in that network."""
    return resource(
        "AWS::EKS::Cluster",
        Name=CLUSTER,
        RoleArn=ROLE,
        ResourcesVpcConfig={"SubnetIds": [{"Ref": "SubnetA"}, {"Ref": "SubnetB"}]},
        AccessConfig={"AuthenticationMode": "API"},
    )


def nodes(**properties: Any) -> dict[str, Any]:
    """A node group of the template's `Cluster`."""
    return resource(
        "AWS::EKS::Nodegroup",
        ClusterName={"Ref": "Cluster"},
        NodegroupName="web",
        NodeRole=ROLE,
        Subnets=[{"Ref": "SubnetA"}],
        **properties,
    )


def files(**properties: Any) -> dict[str, Any]:
    """A file system."""
    return resource("AWS::EFS::FileSystem", Encrypted=True, **properties)


def parameter(value: str, **properties: Any) -> dict[str, Any]:
    """The smallest resource: a parameter of SSM."""
    return resource("AWS::SSM::Parameter", Type="String", Value=value, **properties)


def change_of(planned: dict[str, Any], name: str) -> dict[str, Any]:
    """What a change set says of one resource."""
    found = (one["ResourceChange"] for one in planned["Changes"])
    return next(one for one in found if one["LogicalResourceId"] == name)


@functools.cache
def operations(service: str) -> dict[str, str]:
    """AWS's names of a service's operations, by boto3's."""
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): name for name in model.operation_names}


class Client:
    """A client of one service in one Region, as boto3's, without a wire."""

    def __init__(self, answer: Callable[[str, dict[str, Any]], Any], service: str) -> None:
        self._answer = answer
        self._names = operations(service)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            operation = self._names[name]
            try:
                return self._answer(operation, params)
            except Fault as fault:
                error = {"Code": fault.code, "Message": fault.message}
                raise ClientError({"Error": error}, operation) from fault  # type: ignore[typeddict-item]  # as boto3's

        return call


class Place(Protocol):
    """Where stacks are applied."""

    @property
    def platform(self) -> Platform:
        """The platform that lives there."""

    def aws(self, service: str, alias: str = "seoul") -> Any:
        """A client of a service."""


class StillWorld:
    """A world whose time passes by `advance` only, and its clients."""

    def __init__(self, world: World) -> None:
        self.world = world
        for name in RESET:
            ministack.service(name).reset()
        self.registry = Registry(world)

    @property
    def platform(self) -> Platform:
        return self.world.platform

    def aws(self, service: str, alias: str = "seoul") -> Any:
        """A client of a service in a Region."""
        region = "us-east-1" if service == "route53" else self.platform.region(alias).name

        def answer(operation: str, params: dict[str, Any]) -> Any:
            call = Call(
                service=service,
                operation=operation,
                params=params,
                region=region,
                account=self.platform.account,
                request_id="test",
            )
            return self.registry.answer(call)

        return Client(answer, service)

    def advance(self, seconds: float) -> None:
        """Let time pass, and run what is due on the way."""
        clock = self.world.clock
        assert isinstance(clock, Standing)
        for _ in self.world.timers.passing(clock, clock.now() + seconds):
            pass


@dataclass
class Stacks:
    """The stacks of one world."""

    world: Place
    wait: Callable[[float], None]
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def client(self, alias: str) -> Any:
        """CloudFormation of a Region."""
        return self.world.aws("cloudformation", alias)

    def draft(self, alias: str, name: str, body: Template | str, **more: Any) -> dict[str, Any]:
        """Ask for a change set; its id and its stack's."""
        text = body if isinstance(body, str) else json.dumps(body)
        exists = self.describe(alias, name) is not None
        made: dict[str, Any] = self.client(alias).create_change_set(
            **{
                "StackName": name,
                "ChangeSetName": f"plan-{next(self._numbers)}",
                "ChangeSetType": "UPDATE" if exists else "CREATE",
                "TemplateBody": text,
                "Capabilities": ["CAPABILITY_NAMED_IAM"],
                **({} if exists else {"OnStackFailure": "DELETE"}),
                **more,
            }
        )
        return made

    def plan(self, alias: str, name: str, body: Template | str, **more: Any) -> dict[str, Any]:
        """Create a change set and describe it when it is computed, with property values."""
        made = self.draft(alias, name, body, **more)
        return self.planned(alias, made["Id"])

    def planned(self, alias: str, id_: str) -> dict[str, Any]:
        """A change set that has been computed."""
        while True:
            described: dict[str, Any] = self.client(alias).describe_change_set(
                ChangeSetName=id_, IncludePropertyValues=True
            )
            if described["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return described
            self.wait(1.0)

    def apply(self, alias: str, name: str, body: Template | str, **more: Any) -> str:
        """Plan and execute; the stack's status at the end, or the plan's reason for failing."""
        planned = self.plan(alias, name, body, **more)
        if planned["Status"] == "FAILED":
            return str(planned["StatusReason"])
        self.client(alias).execute_change_set(ChangeSetName=planned["ChangeSetId"])
        return self.end(alias, planned["StackId"])

    def apply_unit(self, unit: Unit) -> str:
        """Apply a stack of the platform; its parameters are other stacks' outputs."""
        alias, name = unit.region.alias, self.name(unit)
        values = {key: self.output(unit, output) for key, output in unit.stack.parameters.items()}
        given = [{"ParameterKey": k, "ParameterValue": v} for k, v in values.items()]
        body = cfn.render(self.world.platform, unit)
        return self.apply(alias, name, body, Parameters=given)

    def output(self, unit: Unit, output: Output) -> str:
        """What a unit gets from another stack, wherever that is."""
        platform, alias = self.world.platform, unit.region.alias
        stack = next(one for one in cfn.STACKS if one.name == output.stack)
        if stack.scope is Scope.ONCE:
            alias = platform.home
        elif output.region is Where.OTHER:
            alias = platform.other(alias).alias
        return self.outputs(alias, platform.stack_name(output.stack))[output.key]

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

    def status(self, alias: str, name: str) -> str:
        """The status of a stack that there is."""
        found = self.describe(alias, name)
        assert found is not None
        return str(found["StackStatus"])

    def outputs(self, alias: str, name: str) -> dict[str, str]:
        """What a stack gives."""
        stack = self.describe(alias, name)
        assert stack is not None
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def events(self, alias: str, name: str) -> list[tuple[str, str]]:
        """What happened to a stack, oldest first: (logical id, status)."""
        found = self.client(alias).describe_stack_events(StackName=name)["StackEvents"]
        return [(one["LogicalResourceId"], one["ResourceStatus"]) for one in reversed(found)]

    def failures(self, alias: str, stack_id: str) -> dict[str, str]:
        """The reasons of a stack's failed resources."""
        events = self.client(alias).describe_stack_events(StackName=stack_id)["StackEvents"]
        return {
            event["LogicalResourceId"]: event["ResourceStatusReason"]
            for event in events
            if event["ResourceStatus"].endswith("_FAILED")
        }

    def delete(self, alias: str, name: str, **more: Any) -> str:
        """Delete a stack; its last status."""
        stack = self.describe(alias, name)
        assert stack is not None
        self.client(alias).delete_stack(StackName=name, **more)
        return self.end(alias, stack["StackId"])

    def end(self, alias: str, stack_id: str) -> str:
        """Wait until a stack's operation has ended."""
        waited = 0.0
        while (status := self.status(alias, stack_id)).endswith("_IN_PROGRESS"):
            assert waited < PATIENCE, f"{stack_id} is still {status}"
            self.wait(LOOK)
            waited += LOOK
        return status


def in_still_world(world: World) -> Stacks:
    """The stacks of a world whose time passes only while they are waited for."""
    still = StillWorld(world)
    return Stacks(still, still.advance)
