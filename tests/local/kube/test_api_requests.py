"""The API's own forms: paths, selectors, tables, discovery, warnings, and refusals of raw requests."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from platform_pipelines.local.kube import kinds, models, openapi
from platform_pipelines.local.kube.ages import human
from platform_pipelines.local.kube.kinds import CONFIG_MAP, KINDS, POD, Kind
from platform_pipelines.local.kube.objects import Obj, clone
from platform_pipelines.local.kube.schema import Type
from platform_pipelines.local.kube.selectors import parse_labels
from platform_pipelines.local.kube.store import Store
from tests.local.kube.api_server import InProcess, Reply

MERGE_PATCH = "application/merge-patch+json"
PODS = "/api/v1/namespaces/default/pods"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


@pytest.fixture
def store() -> Store:
    """An empty cluster."""
    return Store()


@pytest.fixture
def api(store: Store) -> InProcess:
    """Its API."""
    return InProcess(store)


def pod(name: str, node: str = "n1") -> Obj:
    """A pod on a node."""
    spec = {"nodeName": node, "containers": [{"name": "c", "image": "nginx:1"}]}
    return {"metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web", True),
        ("app!=web", False),
        ("app", True),
        ("!app", False),
        ("app in (web, api)", True),
        ("app notin (web,api)", False),
        ("other notin (x)", True),
        ("app=web,tier=front", True),
        ("app in (a,b),tier=front", False),
        ("example.com/x", False),
    ],
)
def test_a_label_selector_selects(selector: str, selected: bool) -> None:
    """As in a query."""
    labels = {"app": "web", "tier": "front"}
    assert parse_labels(selector).matches(labels) is selected


@pytest.mark.parametrize("selector", ["a=b=c", "app in web", "=x", "a,,b"])
def test_a_selector_that_is_none_is_refused(api: InProcess, selector: str) -> None:
    """Rather than selecting everything."""
    reply = api.call("GET", PODS, query=f"labelSelector={selector}")
    assert reply.status == 400


def test_pods_are_selected_by_their_node(api: InProcess) -> None:
    """As `kubectl drain` does."""
    api.call("POST", PODS, pod("a"))
    api.call("POST", PODS, pod("b", node="n2"))
    found = api.call("GET", PODS, query="fieldSelector=spec.nodeName=n2").body["items"]
    others = api.call("GET", PODS, query="fieldSelector=spec.nodeName!=n2").body["items"]
    assert [each["metadata"]["name"] for each in (*found, *others)] == ["b", "a"]


def test_a_field_that_nobody_indexed_is_refused(api: InProcess) -> None:
    """With its name."""
    reply = api.call("GET", PODS, query="fieldSelector=spec.hostname=x")
    assert reply.body["message"] == "field label not supported: spec.hostname"


def test_a_table_has_a_row_for_each_object(api: InProcess) -> None:
    """Which is what kubectl shows."""
    api.call("POST", PODS, pod("a"))
    table = api.call("GET", PODS, accept=TABLE).body
    names = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert names == ["Name", "Ready", "Status", "Restarts", "Age"]
    (row,) = table["rows"]
    assert row["cells"][:4] == ["a", "0/1", "Pending", "0"]
    assert row["object"]["kind"] == "PartialObjectMetadata"


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if not kind.review], ids=lambda kind: kind.kind
)
def test_every_kind_can_be_listed_as_a_table(api: InProcess, kind: Kind) -> None:
    """Empty or not."""
    prefix = f"/apis/{kind.group}" if kind.group else "/api"
    reply = api.call("GET", f"{prefix}/{kind.version}/{kind.plural}", accept=TABLE)
    assert (reply.status, reply.body["kind"]) == (200, "Table")


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        ({"phase": "Running"}, "Running"),
        ({"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        (
            {"containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff"}}}]},
            "ImagePullBackOff",
        ),
    ],
)
def test_a_pods_status_says_why_it_does_not_run(
    api: InProcess, store: Store, status: Obj, shown: str
) -> None:
    """Its phase only when there is nothing better."""
    api.call("POST", PODS, pod("a"))
    store.update_status(POD, "default", "a", status)
    assert api.call("GET", f"{PODS}/a", accept=TABLE).body["rows"][0]["cells"][2] == shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (192, "3m12s"),
        (3600, "60m"),
        (4 * 3600 + 60, "4h1m"),
        (20 * 3600, "20h"),
        (3 * 86400, "3d"),
        (30 * 86400, "30d"),
        (800 * 86400, "2y70d"),
        (-5, "0s"),
    ],
)
def test_ages_are_told_with_the_units_that_matter(seconds: int, text: str) -> None:
    """As kubectl does."""
    assert human(seconds) == text


def test_only_metadata_may_be_asked_for(api: InProcess) -> None:
    """One object or a list."""
    api.call("POST", PODS, pod("a"))
    form = "application/json;as=PartialObjectMetadata{};v=v1;g=meta.k8s.io"
    one = api.call("GET", f"{PODS}/a", accept=form.format("")).body
    listed = api.call("GET", PODS, accept=form.format("List")).body
    assert (one["kind"], "spec" in one) == ("PartialObjectMetadata", False)
    assert [each["metadata"]["name"] for each in listed["items"]] == ["a"]


def test_discovery_comes_aggregated_to_who_asks_for_it(api: InProcess) -> None:
    """Two requests instead of a dozen."""
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    reply = api.call("GET", "/apis", accept=accept)
    assert "APIGroupDiscoveryList" in reply.headers["content-type"]
    groups = {group["metadata"]["name"]: group for group in reply.body["items"]}
    (version,) = groups["apps"]["versions"]
    assert "deployments" in {each["resource"] for each in version["resources"]}


def test_subresources_are_discovered(api: InProcess) -> None:
    """A status where there is one, a scale where there is one."""
    names = {each["name"] for each in api.call("GET", "/apis/apps/v1").body["resources"]}
    assert {"deployments/status", "deployments/scale", "daemonsets/status"} <= names
    argo = api.call("GET", "/apis/argoproj.io/v1alpha1").body["resources"]
    assert {each["name"] for each in argo} == {"applications", "appprojects"}


def test_openapi_has_the_merge_keys(api: InProcess) -> None:
    """By them kubectl merges a client-side apply."""
    index = api.call("GET", "/openapi/v3").body["paths"]
    assert index["apis/apps/v1"]["serverRelativeURL"].startswith("/openapi/v3/apis/apps/v1?hash=")
    document = api.call("GET", "/openapi/v3/apis/apps/v1").body
    spec = document["components"]["schemas"]["io.k8s.api.V1PodSpec"]["properties"]
    assert spec["containers"]["x-kubernetes-patch-merge-key"] == "name"
    assert openapi.document("no.such.group", "v1") is None


@pytest.mark.parametrize("table", ["_LIST_KEYS", "_SETS", "_ATOMIC_MAPS"])
def test_merge_keys_belong_to_fields_that_there_are(table: str) -> None:
    """A renamed field of the client's models must not lose its merge key silently."""
    for model, names in getattr(models, table).items():
        fields = models.of_model(model).fields
        for name in names:
            assert fields[name].type in (Type.LIST, Type.MAP)
            assert fields[name].keys or fields[name].unique or fields[name].atomic


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/api/v2/pods", 404),
        ("GET", "/apis/apps/v1/namespaces/default/deployments/x/nothing", 404),
        ("GET", f"{PODS}/x/y/z", 404),
        ("POST", f"{PODS}/x", 405),
        ("PUT", PODS, 405),
        ("OPTIONS", PODS, 405),
        ("GET", "/api/v1/namespaces/default/nodes", 404),
    ],
)
def test_a_path_or_method_that_there_is_not(
    api: InProcess, method: str, path: str, status: int
) -> None:
    """A Status body, always."""
    reply = api.call(method, path)
    assert (reply.status, reply.body["kind"]) == (status, "Status")


def test_without_a_token_only_health_and_version_are_told(api: InProcess) -> None:
    """As of a real cluster."""
    for path, status in (("/livez", 200), ("/version", 200), ("/api", 401), ("/versions", 401)):
        assert api.call("GET", path, authorization="").status == status


@pytest.mark.parametrize(
    ("body", "query", "status"),
    [
        (b"{", "", 400),
        ([], "", 400),
        ({"kind": "Secret", "metadata": {"name": "a"}}, "", 400),
        ({"metadata": {"name": "a", "namespace": "other"}}, "", 400),
        ({"metadata": {"name": "a", "resourceVersion": "1"}}, "", 400),
        ({"metadata": {"name": "a"}}, "dryRun=Some", 400),
        ({"metadata": {"name": "a"}}, "fieldValidation=Maybe", 400),
        ({"metadata": {"name": "a"}, "data": {"x": "y" * (3 << 20)}}, "", 413),
    ],
)
def test_a_create_that_makes_no_sense_is_refused(
    api: InProcess, body: object, query: str, status: int
) -> None:
    """And nothing is stored."""
    assert api.call("POST", CONFIG_MAPS, body, query=query).status == status
    assert api.call("GET", CONFIG_MAPS).body["items"] == []


def test_a_body_in_an_unknown_form_is_refused(api: InProcess) -> None:
    """And told which forms there are."""
    refused = api.call("POST", CONFIG_MAPS, b"<a/>", content_type="application/xml")
    assert refused.status == 415
    assert "application/vnd.kubernetes.protobuf" in refused.body["message"]


def test_a_client_that_takes_no_json_is_refused(api: InProcess) -> None:
    """Answers are JSON; who takes protobuf or JSON gets JSON."""
    protobuf = "application/vnd.kubernetes.protobuf"
    refused = api.call("GET", CONFIG_MAPS, accept=protobuf)
    assert (refused.status, refused.body["reason"]) == (406, "NotAcceptable")
    taken = api.call("GET", CONFIG_MAPS, accept=f"{protobuf},application/json")
    assert taken.headers["content-type"] == "application/json"


@pytest.mark.parametrize("subresource", ["log", "exec", "attach", "portforward"])
def test_what_only_a_container_could_answer_is_refused_clearly(
    api: InProcess, subresource: str
) -> None:
    """No container runs in the local Regions; that is no 404."""
    refused = api.call("GET", f"{PODS}/a/{subresource}")
    assert (refused.status, refused.body["reason"]) == (501, "NotImplemented")
    assert "not implemented by the local Regions" in refused.body["message"]


def test_yaml_is_a_body_too(api: InProcess) -> None:
    """When it says so."""
    text = b"metadata: {name: a}\ndata: {k: v}\n"
    made = api.call("POST", CONFIG_MAPS, text, content_type="application/yaml")
    assert made.body["data"] == {"k": "v"}


def test_unknown_fields_are_warned_of_in_a_header(api: InProcess) -> None:
    """kubectl prints them."""
    reply = api.call("POST", CONFIG_MAPS, {"metadata": {"name": "a"}, "dater": {}})
    assert reply.headers["warning"] == '299 - "unknown field \\"dater\\""'


def test_a_custom_resource_is_replaced_only_with_its_version(api: InProcess) -> None:
    """Built-in kinds may be replaced blindly, custom ones not."""
    path = "/apis/argoproj.io/v1alpha1/namespaces/default/applications"
    body = {"metadata": {"name": "a"}, "spec": {"project": "p", "destination": {}}}
    api.call("POST", path, body)
    assert api.call("PUT", f"{path}/a", body).status == 422
    api.call("POST", CONFIG_MAPS, {"metadata": {"name": "a"}})
    assert api.call("PUT", f"{CONFIG_MAPS}/a", {"metadata": {"name": "a"}}).status == 200


def test_an_eviction_asks_the_disruption_budget(api: InProcess, store: Store) -> None:
    """429 while it allows none; then the pod goes, and one disruption is spent."""
    api.call("POST", PODS, pod("a"))
    store.update_status(POD, "default", "a", {"phase": "Running"})
    budget = {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"app": "a"}}}}
    api.call("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", budget)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    assert api.call("POST", f"{PODS}/a/eviction", eviction).status == 429
    status = {"disruptionsAllowed": 1}
    store.update_status(kinds.POD_DISRUPTION_BUDGET, "default", "b", status)
    assert api.call("POST", f"{PODS}/a/eviction", eviction).status == 201
    (stopping,) = store.list(POD)  # its kubelet has the grace period to stop it
    assert stopping["metadata"]["deletionGracePeriodSeconds"] == 30
    (spent,) = store.list(kinds.POD_DISRUPTION_BUDGET)
    assert spent["status"]["disruptionsAllowed"] == 0
    assert "a" in spent["status"]["disruptedPods"]


def test_an_eviction_takes_the_grace_period_that_it_is_told(api: InProcess, store: Store) -> None:
    """At once; a budget has no say about a pod that does not serve."""
    api.call("POST", PODS, pod("a"))
    budget = {"metadata": {"name": "b"}, "spec": {"selector": {"matchLabels": {"app": "a"}}}}
    api.call("POST", "/apis/policy/v1/namespaces/default/poddisruptionbudgets", budget)
    at_once = {"metadata": {"name": "a"}, "deleteOptions": {"gracePeriodSeconds": 0}}
    assert api.call("POST", f"{PODS}/a/eviction", at_once).status == 201
    assert store.list(POD) == []


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a JSON value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """A copy with something else at a path."""
    if not path:
        return by
    copied = clone(value)
    copied[path[0]] = replaced(value[path[0]], path[1:], by)
    return copied


@pytest.mark.parametrize("odd", [None, -1, "", True, [], {}, ["x"], {"a": 1}, [None], 1.5, "x\n"])
def test_no_odd_value_breaks_the_server(api: InProcess, odd: Any) -> None:
    """Wherever it stands in a Deployment: taken or refused, but always answered."""
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [container]}}
    body = {
        "metadata": {"name": "x", "labels": {"a": "b"}},
        "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, "replicas": 1},
    }
    path = "/apis/apps/v1/namespaces/default/deployments"
    api.call("POST", path, body)
    for place in places(body):
        broken = replaced(body, place, odd)
        made = api.call("POST", path, broken, query="dryRun=All")
        merged = api.call("PATCH", f"{path}/x", broken, content_type=MERGE_PATCH)
        assert made.status in (201, 400, 409, 422)
        assert merged.status in (200, 400, 422)


def test_answers_are_json_that_any_client_reads(api: InProcess) -> None:
    """Names of any script come back as they were."""
    text = json.dumps({"metadata": {"name": "a"}, "data": {"city": "서울"}}).encode()
    api.call("POST", CONFIG_MAPS, text)
    assert api.call("GET", f"{CONFIG_MAPS}/a").body["data"] == {"city": "서울"}


def test_a_review_is_a_question_and_nothing_is_kept(api: InProcess, store: Store) -> None:
    """It is created to be answered; there is nothing to list, and a question must be one."""
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    question = {"spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}}
    reply = api.call("POST", path, question)
    assert (reply.status, reply.body["status"]["allowed"]) == (201, True)
    assert store.list(kinds.SELF_SUBJECT_ACCESS_REVIEW) == []
    assert api.call("GET", path).status == 405
    assert api.call("POST", path, {"spec": {}}).status == 400
    resources = api.call("GET", "/apis/authorization.k8s.io/v1").body["resources"]
    assert {tuple(each["verbs"]) for each in resources} == {("create",)}


def config_maps(store: Store, *names: str) -> None:
    """ConfigMaps of the namespace `default`."""
    for name in names:
        store.create(CONFIG_MAP, {"metadata": {"name": name, "namespace": "default"}})


def names(reply: Reply) -> list[str]:
    """What a list shows."""
    return [each["metadata"]["name"] for each in reply.body["items"]]


def test_pages_show_one_moment(api: InProcess, store: Store) -> None:
    """What came, changed or went after the first page does not show in the others."""
    config_maps(store, "a", "b", "c", "d")
    first = api.call("GET", CONFIG_MAPS, query="limit=2")
    assert first.body["metadata"]["remainingItemCount"] == 2
    store.delete(CONFIG_MAP, "default", "c")
    config_maps(store, "bb")
    store.update(CONFIG_MAP, {"metadata": {"name": "d", "namespace": "default"}, "data": {"k": ""}})
    token = first.body["metadata"]["continue"]
    second = api.call("GET", CONFIG_MAPS, query=f"limit=2&continue={token}")
    assert names(second) == ["c", "d"]
    assert "data" not in second.body["items"][1]
    assert second.body["metadata"] == {"resourceVersion": first.body["metadata"]["resourceVersion"]}
    assert names(api.call("GET", CONFIG_MAPS)) == ["a", "b", "bb", "d"]


def test_a_page_of_a_forgotten_moment_says_how_to_go_on(api: InProcess, store: Store) -> None:
    """410, with a token that goes on with the objects as they are now."""
    config_maps(store, "a", "b", "c")
    first = api.call("GET", CONFIG_MAPS, query="limit=1")
    store.history.begin(store.version + 1)
    store.delete(CONFIG_MAP, "default", "b")
    token = first.body["metadata"]["continue"]
    gone = api.call("GET", CONFIG_MAPS, query=f"limit=1&continue={token}")
    assert (gone.status, gone.body["reason"]) == (410, "Expired")
    token = gone.body["metadata"]["continue"]
    assert names(api.call("GET", CONFIG_MAPS, query=f"limit=1&continue={token}")) == ["c"]


def test_an_earlier_version_can_be_listed_exactly(api: InProcess, store: Store) -> None:
    """While it is remembered."""
    config_maps(store, "a")
    version = store.version
    config_maps(store, "b")
    exact = f"resourceVersion={version}&resourceVersionMatch=Exact"
    assert names(api.call("GET", CONFIG_MAPS, query=exact)) == ["a"]
    store.history.begin(store.version + 1)
    assert api.call("GET", CONFIG_MAPS, query=exact).status == 410


def test_a_continued_list_takes_no_version(api: InProcess, store: Store) -> None:
    """The token has one of its own."""
    config_maps(store, "a", "b")
    token = api.call("GET", CONFIG_MAPS, query="limit=1").body["metadata"]["continue"]
    query = f"continue={token}&resourceVersion={store.version}"
    assert api.call("GET", CONFIG_MAPS, query=query).status == 400


def test_a_selection_does_not_say_how_many_are_left(api: InProcess, store: Store) -> None:
    """As of a real cluster, which would have to look at all."""
    for name in ("a", "b"):
        store.create(POD, pod(name))
    page = api.call("GET", PODS, query="limit=1&labelSelector=app").body["metadata"]
    assert "continue" in page
    assert "remainingItemCount" not in page
