"""The store behind a cluster's API: what controllers rely on."""

from datetime import UTC, datetime, timedelta

import pytest

from platform_pipelines.local.kube import faults
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import (
    APPLICATION,
    CONFIG_MAP,
    DEPLOYMENT,
    JOB,
    NAMESPACE,
    NODE,
    POD,
    REPLICA_SET,
    SECRET,
    SERVICE,
    Kind,
)
from platform_pipelines.local.kube.objects import Obj
from platform_pipelines.local.kube.store import Store


@pytest.fixture
def store() -> Store:
    """An empty cluster."""
    return Store()


def config(name: str, **metadata: object) -> Obj:
    """A ConfigMap of the default namespace."""
    return {"metadata": {"name": name, "namespace": "default", **metadata}}


def pod(name: str = "p", **metadata: object) -> Obj:
    """A pod of one container."""
    spec = {"containers": [{"name": "c", "image": "nginx:1.2"}]}
    return {"metadata": {"name": name, "namespace": "default", **metadata}, "spec": spec}


def owner(obj: Obj) -> Obj:
    """A reference to an owner."""
    identity = {"name": obj["metadata"]["name"], "uid": obj["metadata"]["uid"]}
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "controller": True, **identity}


def test_what_is_returned_is_a_copy(store: Store) -> None:
    """Changing it changes nothing in the cluster."""
    made = store.create(CONFIG_MAP, config("a"))
    made["data"] = {"x": "1"}
    found = store.get(CONFIG_MAP, "default", "a")
    assert found is not None
    assert "data" not in found


def test_lists_are_in_order_of_namespace_and_name(store: Store) -> None:
    """Whatever the order of creation."""
    store.create(NAMESPACE, {"metadata": {"name": "apps"}})
    for namespace, name in (("default", "b"), ("default", "a"), ("apps", "z")):
        store.create(CONFIG_MAP, config(name, namespace=namespace))
    listed = [each["metadata"]["name"] for each in store.list(CONFIG_MAP)]
    assert listed == ["z", "a", "b"]
    assert len(store.list(CONFIG_MAP, "default")) == 2


def test_objects_carry_the_clusters_own_time() -> None:
    """Which may run faster than the world's."""
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    store = Store(lambda: moment)
    made = store.create(CONFIG_MAP, config("a"))
    assert made["metadata"]["creationTimestamp"] == "2030-01-01T00:00:00Z"


def test_subscribers_hear_every_change(store: Store) -> None:
    """With the state after it, or before a deletion."""
    heard: list[tuple[str, str, str]] = []
    store.subscribe(
        lambda event, kind, obj: heard.append((event, kind.kind, obj["metadata"]["name"]))
    )
    store.create(CONFIG_MAP, config("a"))
    store.update(CONFIG_MAP, {**config("a"), "data": {"x": "1"}})
    store.update(CONFIG_MAP, {**config("a"), "data": {"x": "1"}})  # nothing new
    store.delete(CONFIG_MAP, "default", "a")
    assert [event for event, _, _ in heard] == ["ADDED", "MODIFIED", "DELETED"]


def test_a_status_is_replaced_without_touching_the_spec(store: Store) -> None:
    """And without a new generation."""
    store.create(POD, pod())
    changed = store.update_status(POD, "default", "p", {"phase": "Running"})
    assert changed["status"]["phase"] == "Running"
    assert changed["metadata"]["generation"] == 1
    assert changed["spec"]["containers"][0]["image"] == "nginx:1.2"


def test_an_applications_status_counts_as_a_change_of_its_generation(store: Store) -> None:
    """A custom resource without a status subresource has no part that does not count."""
    metadata = {"name": "a", "namespace": "default"}
    store.create(APPLICATION, {"metadata": metadata, "spec": {}})
    changed = store.update_status(APPLICATION, "default", "a", {"reconciledAt": None})
    assert changed["metadata"]["generation"] == 2


def test_an_update_with_an_old_version_is_refused(store: Store) -> None:
    """Who read before another wrote reads again."""
    old = store.create(CONFIG_MAP, config("a"))
    store.update(CONFIG_MAP, {**config("a"), "data": {"x": "1"}})
    with pytest.raises(KubeFault) as error:
        store.update(CONFIG_MAP, old)
    assert error.value.reason == "Conflict"


@pytest.mark.parametrize("call", ["update", "delete", "update_status"])
def test_what_is_not_there_cannot_be_changed(store: Store, call: str) -> None:
    """NotFound, by whatever way."""
    calls = {
        "update": lambda: store.update(CONFIG_MAP, config("a")),
        "delete": lambda: store.delete(CONFIG_MAP, "default", "a"),
        "update_status": lambda: store.update_status(POD, "default", "a", {}),
    }
    with pytest.raises(KubeFault) as error:
        calls[call]()
    assert error.value.reason == "NotFound"


def test_what_a_deployment_owns_goes_with_it(store: Store) -> None:
    """Its ReplicaSet, and the pods of that."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": pod()["spec"]}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": template}
    top = store.create(DEPLOYMENT, {**config("web"), "spec": spec})
    middle = store.create(
        REPLICA_SET, {**config("web-1", ownerReferences=[owner(top)]), "spec": spec}
    )
    store.create(POD, pod("web-1-a", ownerReferences=[owner(middle)]))
    store.create(POD, pod("free"))
    store.delete(DEPLOYMENT, "default", "web")
    assert store.list(REPLICA_SET) == []
    assert [each["metadata"]["name"] for each in store.list(POD)] == ["free"]


def test_orphans_stay_without_their_owner(store: Store) -> None:
    """When the deletion says so."""
    top = store.create(CONFIG_MAP, config("top"))
    store.create(POD, pod(ownerReferences=[owner(top)]))
    store.delete(CONFIG_MAP, "default", "top", orphan=True)
    (left,) = store.list(POD)
    assert "ownerReferences" not in left["metadata"]


def test_an_object_of_two_owners_needs_only_one(store: Store) -> None:
    """It goes with the last."""
    first, second = (store.create(CONFIG_MAP, config(name)) for name in "ab")
    store.create(POD, pod(ownerReferences=[owner(first), owner(second)]))
    store.delete(CONFIG_MAP, "default", "a")
    assert len(store.list(POD)) == 1
    store.delete(CONFIG_MAP, "default", "b")
    assert store.list(POD) == []


def test_a_namespace_takes_everything_with_it(store: Store) -> None:
    """And is gone itself."""
    store.create(NAMESPACE, {"metadata": {"name": "web"}})
    store.create(POD, pod(namespace="web"))
    store.create(CONFIG_MAP, config("a", namespace="web"))
    store.delete(NAMESPACE, None, "web")
    assert store.get(NAMESPACE, None, "web") is None
    assert store.list(POD) == []


def test_a_namespace_waits_for_finalizers_inside(store: Store) -> None:
    """Terminating, it takes nothing new; it goes with the last object."""
    store.create(NAMESPACE, {"metadata": {"name": "web"}})
    held = store.create(CONFIG_MAP, config("a", namespace="web", finalizers=["example.com/hold"]))
    store.delete(NAMESPACE, None, "web")
    waiting = store.get(NAMESPACE, None, "web")
    assert waiting is not None
    assert waiting["status"]["phase"] == "Terminating"
    with pytest.raises(KubeFault) as error:
        store.create(CONFIG_MAP, config("b", namespace="web"))
    assert error.value.code == 403
    current = store.get(CONFIG_MAP, "web", "a") or held
    current["metadata"]["finalizers"] = []
    store.update(CONFIG_MAP, current)
    assert store.get(NAMESPACE, None, "web") is None


def test_a_dry_run_deletes_nothing(store: Store) -> None:
    """It only says what would go."""
    store.create(CONFIG_MAP, config("a"))
    store.delete(CONFIG_MAP, "default", "a", dry_run=True)
    assert store.get(CONFIG_MAP, "default", "a") is not None


@pytest.mark.parametrize(
    ("image", "policy"),
    [
        ("nginx", "Always"),
        ("nginx:latest", "Always"),
        ("nginx:1.2", "IfNotPresent"),
        ("registry.example:5000/nginx", "Always"),
        ("nginx@sha256:" + "0" * 64, "IfNotPresent"),
    ],
)
def test_the_pull_policy_follows_the_tag(store: Store, image: str, policy: str) -> None:
    """As a real cluster fills it in."""
    body = pod()
    body["spec"]["containers"][0]["image"] = image
    (container,) = store.create(POD, body)["spec"]["containers"]
    assert container["imagePullPolicy"] == policy


def test_a_service_keeps_its_address(store: Store) -> None:
    """It gets one when it is made, and an update that leaves it out changes nothing."""
    body = {**config("web"), "spec": {"selector": {"a": "b"}, "ports": [{"port": 80}]}}
    made = store.create(SERVICE, body)
    assert made["spec"]["clusterIP"].startswith("10.100.")
    assert made["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert store.update(SERVICE, body) == made


def test_a_secrets_text_is_stored_encoded(store: Store) -> None:
    """stringData is for writing only."""
    made = store.create(SECRET, {**config("s"), "stringData": {"k": "v"}})
    assert made["data"] == {"k": "dg=="}
    assert "stringData" not in made


def test_a_job_selects_its_own_pods(store: Store) -> None:
    """By its uid, which nobody can know before."""
    spec = {"template": {"spec": {**pod()["spec"], "restartPolicy": "Never"}}}
    made = store.create(JOB, {**config("j"), "spec": spec})
    labels = made["spec"]["template"]["metadata"]["labels"]
    uid = made["metadata"]["uid"]
    assert labels["batch.kubernetes.io/controller-uid"] == uid
    assert made["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_a_history_forgets(store: Store) -> None:
    """What it no longer knows has expired; who is up to date hears nothing."""
    latest = store.version
    assert store.history.after(latest) == []
    with pytest.raises(KubeFault) as error:
        store.history.after(1)
    assert (error.value.code, error.value.reason) == (410, "Expired")


def test_time_may_be_moved() -> None:
    """The store asks for it each time."""
    moments = iter(datetime(2030, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(100))
    store = Store(lambda: next(moments))
    first = store.create(CONFIG_MAP, config("a"))["metadata"]["creationTimestamp"]
    second = store.create(CONFIG_MAP, config("b"))["metadata"]["creationTimestamp"]
    assert first < second


@pytest.mark.parametrize("kind", [NODE, DEPLOYMENT, APPLICATION])
def test_a_fault_names_the_resource_as_kubectl_shows_it(kind: Kind) -> None:
    """With its group."""
    assert str(faults.not_found(kind, "x")).endswith(f'{kind.resource} "x" not found')


def test_a_kind_with_a_status_always_has_a_spec(store: Store) -> None:
    """As a real cluster tells it, so that a bare Node surprises no controller."""
    made = store.create(NODE, {"metadata": {"name": "bare"}})
    assert (made["spec"], made["status"]) == ({}, {})
