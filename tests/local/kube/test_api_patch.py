"""Patches of built-in kinds: strategic merge with its directives, JSON patch, merge patch."""

from typing import Any

import pytest

from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import DEPLOYMENT, SERVICE
from platform_pipelines.local.kube.patch import PatchType, merge, patched

POD = {
    "metadata": {"name": "web", "finalizers": ["a", "b"]},
    "spec": {
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}},
        "template": {
            "spec": {
                "containers": [{"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}],
                "tolerations": [{"key": "x"}],
                "nodeSelector": {"role": "web"},
            }
        },
    },
}


def strategic(pod: dict[str, Any], **more: Any) -> Any:
    """The pod's spec after a strategic patch of it."""
    patch = {"spec": {"template": {"spec": pod}}, **more}
    return patched(DEPLOYMENT, POD, patch, PatchType.STRATEGIC)["spec"]["template"]["spec"]


def test_an_item_is_found_by_its_key() -> None:
    """The others stay as they are, and in their place."""
    spec = strategic({"containers": [{"name": "b", "image": "b:2"}]})
    assert [each["image"] for each in spec["containers"]] == ["a:1", "b:2"]


def test_an_item_with_a_new_key_comes_last() -> None:
    """It is added."""
    spec = strategic({"containers": [{"name": "c", "image": "c:1"}]})
    assert [each["name"] for each in spec["containers"]] == ["a", "b", "c"]


def test_an_item_is_deleted_by_directive() -> None:
    """`$patch: delete` with the key."""
    spec = strategic({"containers": [{"name": "a", "$patch": "delete"}]})
    assert [each["name"] for each in spec["containers"]] == ["b"]


def test_a_list_is_replaced_by_directive() -> None:
    """`$patch: replace` as an item of its own."""
    spec = strategic({"containers": [{"$patch": "replace"}, {"name": "z", "image": "z"}]})
    assert spec["containers"] == [{"name": "z", "image": "z"}]


def test_kubectls_order_is_kept() -> None:
    """`$setElementOrder` says how the items stand."""
    spec = strategic({"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]})
    assert [each["name"] for each in spec["containers"]] == ["b", "a"]


def test_a_list_without_a_key_is_replaced() -> None:
    """As tolerations."""
    assert strategic({"tolerations": [{"key": "y"}]})["tolerations"] == [{"key": "y"}]


def test_null_removes_a_field() -> None:
    """Here too."""
    assert "nodeSelector" not in strategic({"nodeSelector": None})


def test_finalizers_are_a_set() -> None:
    """They are added, and deleted by directive."""
    add = {"metadata": {"finalizers": ["b", "c"]}}
    assert patched(DEPLOYMENT, POD, add, PatchType.STRATEGIC)["metadata"]["finalizers"] == [
        "a",
        "b",
        "c",
    ]
    take = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}
    assert patched(DEPLOYMENT, POD, take, PatchType.STRATEGIC)["metadata"]["finalizers"] == ["b"]


def test_retained_keys_drop_the_others() -> None:
    """How kubectl changes a strategy from one type to another."""
    strategy = {"$retainKeys": ["type"], "type": "Recreate"}
    found = patched(DEPLOYMENT, POD, {"spec": {"strategy": strategy}}, PatchType.STRATEGIC)
    assert found["spec"]["strategy"] == {"type": "Recreate"}


def test_a_map_is_replaced_by_directive() -> None:
    """Its other keys go."""
    spec = strategic({"nodeSelector": {"$patch": "replace", "zone": "a"}})
    assert spec["nodeSelector"] == {"zone": "a"}


def test_an_item_without_its_key_is_refused() -> None:
    """Nobody could say which one is meant."""
    with pytest.raises(KubeFault) as error:
        strategic({"containers": [{"image": "x"}]})
    assert error.value.code == 400


def test_the_object_that_is_patched_stays_as_it_was() -> None:
    """A patch makes a copy."""
    strategic({"containers": [{"name": "a", "image": "changed"}]})
    assert strategic({})["containers"][0]["image"] == "a:1"


def test_service_ports_are_merged_by_port() -> None:
    """Another kind, another key."""
    service = {"spec": {"ports": [{"port": 80, "targetPort": 1}, {"port": 443}]}}
    patch = {"spec": {"ports": [{"port": 80, "targetPort": 2}]}}
    found = patched(SERVICE, service, patch, PatchType.STRATEGIC)
    assert found["spec"]["ports"] == [{"port": 80, "targetPort": 2}, {"port": 443}]


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ([{"op": "test", "path": "/metadata/name", "value": "other"}], 422),
        ([{"op": "remove", "path": "/spec/nothing"}], 422),
        ([{"op": "explode", "path": "/spec"}], 400),
        ([{"path": "/spec"}], 400),
        ({"op": "remove"}, 400),
    ],
)
def test_a_json_patch_that_does_not_apply_is_refused(operations: Any, code: int) -> None:
    """A failed test is not the same as a patch that is none."""
    with pytest.raises(KubeFault) as error:
        patched(DEPLOYMENT, POD, operations, PatchType.JSON)
    assert error.value.code == code


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_is_rfc_7386(target: Any, patch: Any, result: Any) -> None:
    """The examples of the RFC."""
    assert merge(target, patch) == result
