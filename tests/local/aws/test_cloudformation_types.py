"""Resource types call the service's own API, over private seams of ministack that must hold."""

import ast
import inspect
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import cloudformation_handlers as handlers
from platform_pipelines.local.aws import cloudformation_requests as requests
from platform_pipelines.local.aws import cloudformation_seams as seams
from platform_pipelines.local.aws.cloudformation_types import Calls, ResourceType, parameters
from platform_pipelines.local.aws.registry import Registry
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


@pytest.mark.parametrize("kind", seams.TYPES, ids=lambda kind: kind.name)
def test_each_type_is_in_ministacks_tables(world: World, kind: type[ResourceType]) -> None:
    """Handlers, what replaces, which property names it, and what drift reads; twice is as once."""
    provisioners = _module("provisioners", world)
    seams.install(Calls(Service()), world)
    seams.install(Calls(Service()), world)
    assert provisioners._RESOURCE_HANDLERS[kind.name].keys() == {"create", "update", "delete"}
    for name in kind.create_only:
        assert provisioners._property_recreation(kind.name, name) == "Always"
    for name in kind.conditional:
        assert provisioners._property_recreation(kind.name, name) == "Conditionally"
    if kind.custom_name:
        old, new = {kind.custom_name: "n", "X": 1}, {kind.custom_name: "n", "X": 2}
        assert provisioners._kept_custom_name(kind.name, old, new) == "n"
    assert _module("drift", world)._DRIFT_READERS[kind.name][1] == kind.reads


def test_types_that_ministack_makes_itself_are_ones_that_it_has(world: World) -> None:
    """Else a stack with one would fail in its middle."""
    assert _module("provisioners", world)._RESOURCE_HANDLERS.keys() >= seams.NATIVE


def test_ministack_calls_handlers_as_we_write_them(world: World) -> None:
    """create(logical id, properties, stack), update(id, old, new, stack), delete(id, properties)."""
    service = Service(
        CreateGlobalCluster={"GlobalCluster": {"GlobalClusterIdentifier": "stack-it-1"}},
        DescribeGlobalClusters={
            "GlobalClusters": [{"GlobalClusterIdentifier": "stack-it-1", "GlobalClusterArn": "arn"}]
        },
    )
    seams.install(Calls(service), world)
    kind, name = "AWS::RDS::GlobalCluster", "It"
    with ministack.scope(world.platform.account, "ap-northeast-2"):
        made = handlers.provision(kind, name, {"Engine": "aurora-mysql"}, "stack")
        old, new = {"DeletionProtection": True}, {"DeletionProtection": False}
        record = {"PhysicalResourceId": made.id}
        handlers.update(kind, name, record, old, new, "stack")
        handlers.delete(kind, made.id, new, "stack", name)
    identifier = service.calls[0].params["GlobalClusterIdentifier"]
    assert identifier.startswith("stack-it-")
    assert [call.operation for call in service.calls] == [
        "CreateGlobalCluster",
        "ModifyGlobalCluster",
        "DescribeGlobalClusters",
        "DeleteGlobalCluster",
    ]


@pytest.mark.parametrize(
    ("module", "function", "names"),
    [
        ("changesets", "_find_change_set", ["cs_name", "stack_name"]),
        ("handlers", "_resolve_stack", ["stack_name"]),
        ("handlers", "_imported_export_names", ["stack", "stack_name"]),
        ("engine", "_intrinsic_references", ["value"]),
        ("engine", "_topological_sort", ["resources", "conditions"]),
        ("engine", "_extract_deps", ["resource_def", "all_resource_names"]),
        ("stacks", "_with_dependencies", ["logical_ids", "res_defs", "remaining"]),
        ("drift", "detect_resource_drift", ["stack", "logical_id", "record", "timestamp"]),
        ("drift", "record_resource_drift", ["record", "drift"]),
    ],
)
def test_ministack_is_called_as_it_wants(
    world: World, module: str, function: str, names: list[str]
) -> None:
    """Functions that are private in ministack, and pinned with it."""
    found = getattr(_module(module, world), function)
    assert list(inspect.signature(found).parameters) == names


@pytest.mark.parametrize(
    ("function", "names"),
    [
        ("_deploy_stack_async", ["stack_name", "stack_id", "template", "param_values"]),
        ("_delete_stack_async", ["stack_name", "stack_id", "retain_resources", "force"]),
        ("_continue_update_rollback_async", ["stack_name", "stack_id", "resources_to_skip"]),
        ("_roll_back_operation", ["stack_name", "stack_id", "stack", "operation"]),
        ("_create_then_delete_on_failure", ["stack_name", "stack_id", "deploy_coro"]),
        ("_create_stack_task_in_region", ["coro", "stack", "stack_id"]),
        ("_add_event", ["stack_id", "stack_name", "logical_id", "resource_type", "status"]),
    ],
)
def test_the_background_tasks_that_are_replaced_have_the_arguments_that_we_take(
    function: str, names: list[str]
) -> None:
    """As ministack's source has them: this process may have replaced the functions already."""
    found = find_spec("ministack")
    assert found is not None
    assert found.origin is not None
    source = (Path(found.origin).parent / "services/cloudformation/stacks.py").read_text()
    defined = next(
        one
        for one in ast.walk(ast.parse(source))
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef) and one.name == function
    )
    assert [one.arg for one in defined.args.args][: len(names)] == names


def test_no_task_of_ministacks_is_started_any_longer(world: World) -> None:
    """Where it would begin a coroutine, an operation of ours begins."""
    Registry(world)
    for name in ("handlers", "changesets"):
        module = _module(name, world)
        assert module._create_stack_task_in_region is requests.start
        assert not inspect.iscoroutinefunction(module._deploy_stack_async)
