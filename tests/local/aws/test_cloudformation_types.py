"""Resource types call the service's own API, over private seams of ministack that must hold."""

import inspect
from importlib import import_module
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudformation
from platform_pipelines.local.aws.cloudformation_types import Calls, parameters
from platform_pipelines.local.aws.service import Call, Fault, Result
from platform_pipelines.local.world import World


class Service:
    """Answers what a test puts there, and remembers what it was asked."""

    def __init__(self, **answers: Result) -> None:
        self.answers = answers
        self.calls: list[Call] = []

    def __call__(self, call: Call) -> Result:
        """One call."""
        self.calls.append(call)
        return self.answers.get(call.operation, {})


def _module(name: str, world: World) -> Any:
    """A module of ministack's CloudFormation; the world has set its environment."""
    assert world.state
    return import_module(f"ministack.services.cloudformation.{name}")


# From properties to parameters


def test_names_differ_in_their_case_only_and_keys_of_maps_stay() -> None:
    """A label's name is the user's; a member's name is the API's."""
    assert parameters(
        "eks",
        "CreateNodegroup",
        {
            "ClusterName": "c",
            "Labels": {"Role": "web"},
            "Taints": [{"Key": "Role", "Value": "web", "Effect": "NO_SCHEDULE"}],
            "LaunchTemplate": {"Id": "lt-1", "Version": 3},
        },
    ) == {
        "clusterName": "c",
        "labels": {"Role": "web"},
        "taints": [{"key": "Role", "value": "web", "effect": "NO_SCHEDULE"}],
        "launchTemplate": {"id": "lt-1", "version": "3"},
    }


def test_numbers_and_booleans_may_be_written_as_text() -> None:
    """As CloudFormation allows, and as parameters always are."""
    props = {"BackupRetentionPeriod": "7", "StorageEncrypted": "true", "CopyTagsToSnapshot": False}
    assert parameters("rds", "CreateDBCluster", props) == {
        "BackupRetentionPeriod": 7,
        "StorageEncrypted": True,
        "CopyTagsToSnapshot": False,
    }


def test_tags_become_what_the_service_takes() -> None:
    """EKS takes a map, RDS a list."""
    tags = {"Tags": [{"Key": "a", "Value": "b"}]}
    assert parameters("eks", "CreateCluster", tags) == {"tags": {"a": "b"}}
    assert parameters("rds", "CreateDBCluster", tags) == tags


def test_a_property_that_the_operation_does_not_know_is_refused_by_its_path() -> None:
    """Nothing of a template is dropped in silence."""
    props = {"ResourcesVpcConfig": {"SubnetIds": ["s"], "Bogus": 1}}
    with pytest.raises(Fault, match=r"CreateCluster\.ResourcesVpcConfig\.Bogus is not supported"):
        parameters("eks", "CreateCluster", props)


def test_calls_are_made_in_the_stacks_region_with_valid_parameters(world: World) -> None:
    """A missing parameter is a validation error, not a call."""
    service = Service()
    call = Calls(service)
    with ministack.scope(world.platform.account, "ap-northeast-1"):
        call("eks", "DeleteCluster", {"name": "c"})
        with pytest.raises(Fault, match="Missing required parameter"):
            call("eks", "DeleteCluster", {})
    (made,) = service.calls
    assert (made.region, made.account) == ("ap-northeast-1", world.platform.account)
    assert (made.service, made.operation, made.params) == ("eks", "DeleteCluster", {"name": "c"})


# ministack's seams


@pytest.mark.parametrize("kind", cloudformation.TYPES, ids=lambda kind: kind.name)
def test_each_type_is_in_ministacks_tables(world: World, kind: Any) -> None:
    """Handlers, what replaces, and which property names it; installing again changes nothing."""
    provisioners = _module("provisioners", world)
    cloudformation.install(Service())
    cloudformation.install(Service())
    assert provisioners._RESOURCE_HANDLERS[kind.name].keys() == {"create", "update", "delete"}
    for name in kind.create_only:
        assert provisioners._property_recreation(kind.name, name) == "Always"
    for name in kind.conditional:
        assert provisioners._property_recreation(kind.name, name) == "Conditionally"
    old, new = {kind.custom_name: "n", "X": 1}, {kind.custom_name: "n", "X": 2}
    kept = provisioners._kept_custom_name(kind.name, old, new)
    assert kept == ("n" if kind.custom_name else None)


def test_ministack_calls_handlers_as_we_write_them(world: World) -> None:
    """create(logical id, properties, stack), update(id, old, new, stack), delete(id, properties)."""
    service = Service(
        CreateGlobalCluster={"GlobalCluster": {"GlobalClusterIdentifier": "stack-it-1"}},
        DescribeGlobalClusters={
            "GlobalClusters": [{"GlobalClusterIdentifier": "stack-it-1", "GlobalClusterArn": "arn"}]
        },
    )
    cloudformation.install(service)
    provisioners, kind = _module("provisioners", world), "AWS::RDS::GlobalCluster"
    with ministack.scope(world.platform.account, "ap-northeast-2"):
        id_, _ = provisioners._provision_resource(kind, "It", {"Engine": "aurora-mysql"}, "stack")
        old, new = {"DeletionProtection": True}, {"DeletionProtection": False}
        provisioners._update_resource(kind, id_, old, new, "stack", "It", {})
        provisioners._delete_resource(kind, id_, new, "stack", "It")
    made = service.calls[0].params["GlobalClusterIdentifier"]
    assert made.startswith("stack-it-")
    assert [call.operation for call in service.calls] == [
        "CreateGlobalCluster",
        "ModifyGlobalCluster",
        "DescribeGlobalClusters",
        "DeleteGlobalCluster",
    ]


def test_change_sets_are_reached_as_their_values_need(world: World) -> None:
    """The functions and tables of ministack that the property values are made of."""
    handlers, changes = _module("handlers", world), _module("changesets", world)
    engine = _module("engine", world)
    assert {"CreateChangeSet", "DescribeChangeSet"} <= handlers._ACTION_HANDLERS.keys()
    for function, names in (
        (changes._create_change_set, ["params"]),
        (changes._describe_change_set, ["params"]),
        (changes._find_change_set, ["cs_name", "stack_name"]),
        (handlers._resolve_stack, ["stack_name"]),
        (engine._intrinsic_references, ["value"]),
    ):
        assert list(inspect.signature(function).parameters) == names
    assert len(inspect.signature(engine._resolve_refs).parameters) == 7
    references = engine._intrinsic_references({"Fn::GetAtt": ["A", "B"], "x": [{"Ref": "C"}]})
    assert set(references) == {("A", "B"), ("C", None)}
