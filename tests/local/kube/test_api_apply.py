"""Server-side apply: merging by key, owning, taking over, and taking away."""

from typing import Any

import pytest

from platform_pipelines.local.kube import fields
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import DEPLOYMENT
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.store import Store


@pytest.fixture
def store() -> Store:
    """An empty cluster."""
    return Store()


def deployment(*containers: Obj, **spec: Any) -> Obj:
    """A Deployment of these containers."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": list(containers)}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
    }


def containers(obj: Obj) -> dict[str, Obj]:
    """The containers of a Deployment, by name."""
    return {each["name"]: each for each in obj["spec"]["template"]["spec"]["containers"]}


def owners(obj: Obj) -> dict[str, set[str]]:
    """What each manager owns, readably."""
    return {
        entry["manager"]: {fields.readable(path) for path in fields.from_tree(entry["fieldsV1"])}
        for entry in obj["metadata"].get("managedFields", [])
    }


WEB = {"name": "web", "image": "web:1"}
PROXY = {"name": "proxy", "image": "proxy:1"}


def test_two_managers_can_each_bring_a_container(store: Store) -> None:
    """Containers are merged by name."""
    store.apply(deployment(WEB), "argocd")
    both = store.apply(deployment(PROXY), "mesh", force=False)
    assert list(containers(both)) == ["web", "proxy"]


def test_a_container_that_is_no_longer_applied_goes_alone(store: Store) -> None:
    """The other manager's stays."""
    store.apply(deployment(WEB, PROXY), "argocd")
    left = store.apply(deployment(WEB), "argocd")
    assert list(containers(left)) == ["web"]


def test_what_another_manager_owns_inside_keeps_an_item(store: Store) -> None:
    """Only the fields that were the first one's alone are taken away."""
    variable = {"name": "A", "value": "1"}
    store.apply(deployment(WEB, {**PROXY, "env": [variable]}), "argocd")
    store.apply(deployment({"name": "proxy", "image": "proxy:1"}), "mesh", force=False)
    left = store.apply(deployment(WEB), "argocd")
    assert containers(left)["proxy"]["image"] == "proxy:1"
    assert "env" not in containers(left)["proxy"]


def test_ports_are_told_apart_by_number_and_protocol(store: Store) -> None:
    """A protocol that is left out is TCP."""
    store.apply(deployment({**WEB, "ports": [{"containerPort": 53}]}), "one")
    udp = {"containerPort": 53, "protocol": "UDP"}
    both = store.apply(deployment({"name": "web", "image": "web:1", "ports": [udp]}), "two")
    assert [port["protocol"] for port in containers(both)["web"]["ports"]] == ["TCP", "UDP"]


def test_an_atomic_map_is_replaced(store: Store) -> None:
    """A nodeSelector belongs to one manager as a whole."""

    def placed(**labels: str) -> Obj:
        body = deployment(WEB)
        body["spec"]["template"]["spec"]["nodeSelector"] = labels
        return body

    store.apply(placed(role="web"), "one")
    moved = store.apply(placed(zone="a"), "two")
    assert moved["spec"]["template"]["spec"]["nodeSelector"] == {"zone": "a"}


def test_applying_the_same_again_changes_nothing(store: Store) -> None:
    """Not even the time in managedFields."""
    first = store.apply(deployment(WEB), "argocd")
    assert store.apply(deployment(WEB), "argocd") == first


def test_defaults_belong_to_nobody(store: Store) -> None:
    """So that an autoscaler may write replicas without a conflict."""
    made = store.apply(deployment(WEB), "argocd")
    assert made["spec"]["replicas"] == 1
    assert ".spec.replicas" not in owners(made)["argocd"]
    scaled = store.apply(deployment(WEB, replicas=5), "autoscaler", force=False)
    assert scaled["spec"]["replicas"] == 5


def test_giving_a_field_up_to_a_co_owner_keeps_its_value(store: Store) -> None:
    """The way to hand replicas over to an autoscaler."""
    store.apply(deployment(WEB, replicas=4), "argocd")
    store.apply(deployment(WEB, replicas=4), "autoscaler", force=False)
    left = store.apply(deployment(WEB), "argocd")
    assert left["spec"]["replicas"] == 4


def test_a_conflict_names_every_field_and_whose_it_is(store: Store) -> None:
    """As kubectl shows it."""
    store.apply(deployment(WEB, replicas=1), "argocd")
    with pytest.raises(KubeFault) as error:
        store.apply(deployment({**WEB, "image": "web:2"}, replicas=2), "hand", force=False)
    assert "Apply failed with 2 conflicts" in error.value.message
    told = {(cause["field"], cause["message"]) for cause in error.value.details["causes"]}
    image = '.spec.template.spec.containers[name="web"].image'
    whose = 'conflict with "argocd"'
    assert told == {(".spec.replicas", whose), (image, whose)}


def test_what_was_there_before_the_first_apply_is_not_taken_silently(store: Store) -> None:
    """An object that nobody applied counts as somebody's."""
    store.create(DEPLOYMENT, deployment(WEB, replicas=3))
    with pytest.raises(KubeFault) as error:
        store.apply(deployment(WEB, replicas=1), "argocd", force=False)
    assert "before-first-apply" in error.value.message


def test_the_status_is_applied_on_its_own(store: Store) -> None:
    """Through its subresource, and only there."""
    store.apply(deployment(WEB), "argocd")
    body = deployment(WEB, replicas=9) | {"status": {"readyReplicas": 1}}
    applied = store.apply(body, "controller", subresource="status")
    assert (applied["status"], applied["spec"]["replicas"]) == ({"readyReplicas": 1}, 1)
    assert owners(applied)["controller"] == {".status.readyReplicas"}


def test_managed_fields_cannot_be_applied(store: Store) -> None:
    """They are the server's to write."""
    body = deployment(WEB)
    body["metadata"]["managedFields"] = [{"manager": "x"}]
    with pytest.raises(KubeFault) as error:
        store.apply(body, "argocd")
    assert error.value.code == 400


def test_paths_survive_their_written_form() -> None:
    """fieldsV1 says the same as the set of paths."""
    paths = {
        ("f:metadata", "f:labels", "f:a/b"),
        ("f:spec", 'k:{"name":"web"}'),
        ("f:spec", 'k:{"name":"web"}', "f:image"),
        ("f:metadata", "f:finalizers", 'v:"x"'),
    }
    tree = fields.to_tree(paths)
    assert tree["f:spec"]['k:{"name":"web"}'] == {".": {}, "f:image": {}}
    assert fields.from_tree(tree) == paths
    assert fields.readable(("f:finalizers", 'v:"x"')) == '.finalizers[="x"]'
