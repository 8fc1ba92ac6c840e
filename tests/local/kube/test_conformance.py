"""What a client may expect of a cluster's API, seen through the official Python client."""

import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, dynamic, utils, watch
from kubernetes.client.exceptions import ApiException
from urllib3 import HTTPResponse

from tests.local.kube.api_server import TIME_LIMIT, Object, Server, refusal, serving, told
from tests.local.kube.running_world import living

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "applications"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"
# The client's own annotations do not cover these.
DYNAMIC: Any = dynamic.DynamicClient
WATCH: Any = watch.Watch
CREATE: Any = utils.create_from_dict


@pytest.fixture(scope="module", params=[serving, living], ids=["bare", "living"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """One API for the whole module, bare or with nodes and controllers; every test has namespaces
    of its own."""
    with request.param(tmp_path_factory.mktemp("api")) as running:
        yield running


@pytest.fixture
def api(server: Server) -> Any:
    """The official client."""
    return server.client()


@pytest.fixture
def namespace(api: Any) -> str:
    """A namespace that no other test has."""
    name = f"ns-{uuid.uuid4().hex[:8]}"
    core: Any = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    return name


@pytest.fixture
def core(api: Any) -> Any:
    """The core group."""
    return client.CoreV1Api(api)


@pytest.fixture
def apps(api: Any) -> Any:
    """The apps group."""
    return client.AppsV1Api(api)


class Applications:
    """Argo CD Applications of one namespace: a custom resource without a status subresource."""

    def __init__(self, api: Any, namespace: str) -> None:
        self.api = client.CustomObjectsApi(api)
        self.namespace = namespace

    def body(self, name: str, **spec: Any) -> Object:
        source = {"repoURL": "https://git.example/r.git", "path": "overlays/seoul"}
        return {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Application",
            "metadata": {"name": name, "namespace": self.namespace, "labels": {"dr": "yes"}},
            "spec": {
                "project": "default",
                "destination": {"namespace": "web"},
                "source": source,
                **spec,
            },
        }

    def _call(self, method: str, *arguments: Any, **options: Any) -> Object:
        call: Callable[..., Object] = getattr(self.api, f"{method}_namespaced_custom_object")
        where = (GROUP, VERSION, self.namespace, PLURAL)
        return call(*where, *arguments, _request_timeout=TIME_LIMIT, **options)

    def create(self, name: str, **spec: Any) -> Object:
        return self._call("create", self.body(name, **spec))

    def create_raw(self, body: Object) -> Object:
        return self._call("create", body)

    def get(self, name: str) -> Object:
        return self._call("get", name)

    def list(self, **options: Any) -> Object:
        return self._call("list", **options)

    def patch(self, name: str, patch: Any, **options: Any) -> Object:
        return self._call("patch", name, patch, **options)

    def replace(self, name: str, body: Object) -> Object:
        return self._call("replace", name, body)

    def delete(self, name: str) -> Object:
        return self._call("delete", name)


@pytest.fixture
def applications(api: Any, namespace: str) -> Applications:
    """Applications of the test's namespace."""
    return Applications(api, namespace)


def deployment(**spec: Any) -> Object:
    """The smallest Deployment there is."""
    pod = {"containers": [{"name": "c", "image": "nginx"}]}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    return {
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template, **spec},
    }


def names(listed: Object) -> list[str]:
    """The names in a list of custom objects."""
    return [item["metadata"]["name"] for item in listed["items"]]


class TestFindingOut:
    """What the server says of itself."""

    def test_the_version_is_that_of_the_cluster(self, api: Any) -> None:
        """Clients decide by it what they may use."""
        assert client.VersionApi(api).get_code().git_version.startswith("v1.36.")

    def test_argo_cds_group_is_among_the_groups(self, api: Any) -> None:
        """Discovery lists custom groups beside the built-in ones."""
        groups = [group.name for group in client.ApisApi(api).get_api_versions().groups]
        assert {GROUP, "apps", "networking.k8s.io"} <= set(groups)

    def test_a_resource_that_nobody_defined_is_not_found(self, api: Any, namespace: str) -> None:
        """A misspelt plural is 404 even for a list, which is never empty by mistake."""
        custom = client.CustomObjectsApi(api)
        with pytest.raises(ApiException) as error:
            custom.list_namespaced_custom_object(GROUP, VERSION, namespace, "applicationz")
        assert error.value.status == 404

    def test_the_dynamic_client_finds_kinds_and_lists_them(
        self, api: Any, applications: Applications, tmp_path: Path
    ) -> None:
        """It walks the whole discovery."""
        applications.create("a")
        found = DYNAMIC(api, cache_file=str(tmp_path / "cache"))
        kind = found.resources.get(api_version=f"{GROUP}/{VERSION}", kind="Application")
        assert [
            each.metadata.name for each in kind.get(namespace=applications.namespace).items
        ] == ["a"]


class TestWhoMaySpeak:
    """Tokens."""

    def test_a_wrong_token_is_unauthorized(self, server: Server) -> None:
        """401, and not 403: the cluster does not know who asks."""
        with pytest.raises(ApiException) as error:
            client.CoreV1Api(server.client("wrong")).list_node()
        assert refusal(error.value) == (401, "Unauthorized")

    def test_a_client_may_renew_its_token_before_each_call(self, server: Server) -> None:
        """The official client's hook runs for each request."""
        renewed = []
        configuration: Any = server.configuration()
        good = configuration.api_key["authorization"]
        configuration.api_key = {"authorization": "Bearer old"}

        def renew(current: client.Configuration) -> None:
            renewed.append(1)
            current.api_key["authorization"] = good

        configuration.refresh_api_key_hook = renew
        core = client.CoreV1Api(client.ApiClient(configuration))
        core.list_node()
        core.list_node()
        assert len(renewed) >= 2


class TestObjects:
    """Creating, reading and listing."""

    def test_a_new_object_gets_an_identity(self, applications: Applications) -> None:
        """uid, resourceVersion, creation time, and generation 1."""
        metadata = applications.create("a")["metadata"]
        assert uuid.UUID(metadata["uid"])
        assert metadata["resourceVersion"].isdigit()
        assert metadata["creationTimestamp"].endswith("Z")
        assert metadata["generation"] == 1

    def test_a_name_can_be_taken_once(self, applications: Applications) -> None:
        """The second create is refused."""
        applications.create("a")
        with pytest.raises(ApiException) as error:
            applications.create("a")
        assert refusal(error.value) == (409, "AlreadyExists")

    def test_what_is_stored_is_read_back(self, applications: Applications) -> None:
        """With its kind."""
        applications.create("a")
        found = applications.get("a")
        assert found["kind"] == "Application"
        assert found["spec"]["source"]["path"] == "overlays/seoul"

    def test_what_is_not_there_is_told_by_name(self, applications: Applications) -> None:
        """A Status body with a reason and the resource's name."""
        with pytest.raises(ApiException) as error:
            applications.get("nobody")
        assert refusal(error.value) == (404, "NotFound")
        assert '"nobody" not found' in told(error.value)["message"]

    def test_a_list_has_a_kind_and_a_version(self, applications: Applications) -> None:
        """From that resourceVersion a watch can go on."""
        listed = applications.list()
        assert listed["kind"] == "ApplicationList"
        assert listed["metadata"]["resourceVersion"].isdigit()

    def test_a_cluster_wide_list_has_every_namespace(self, applications: Applications) -> None:
        """The path without a namespace."""
        applications.create("a")
        listed: Any = applications.api.list_cluster_custom_object(GROUP, VERSION, PLURAL)
        assert applications.namespace in {each["metadata"]["namespace"] for each in listed["items"]}

    def test_nothing_is_created_in_a_namespace_that_is_not_there(self, core: Any) -> None:
        """404 names the namespace."""
        with pytest.raises(ApiException) as error:
            core.create_namespaced_config_map("nowhere", {"metadata": {"name": "x"}})
        assert error.value.status == 404

    def test_a_name_may_be_left_to_the_server(self, core: Any, namespace: str) -> None:
        """generateName is a beginning."""
        made = core.create_namespaced_config_map(namespace, {"metadata": {"generateName": "g-"}})
        assert made.metadata.name.startswith("g-")
        assert len(made.metadata.name) > 2

    def test_a_dry_run_stores_nothing(self, core: Any, namespace: str) -> None:
        """It answers as if it had."""
        body = {"metadata": {"name": "dry"}}
        core.create_namespaced_config_map(namespace, body, dry_run="All")
        with pytest.raises(ApiException) as error:
            core.read_namespaced_config_map("dry", namespace)
        assert error.value.status == 404

    def test_the_clients_helper_creates_from_a_dict(
        self, api: Any, core: Any, namespace: str
    ) -> None:
        """As from a YAML file."""
        metadata = {"name": "helped", "namespace": namespace}
        CREATE(api, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        assert core.read_namespaced_config_map("helped", namespace).metadata.uid


class TestSelecting:
    """Selectors and pages."""

    @pytest.fixture
    def seven(self, applications: Applications) -> Applications:
        """Seven Applications."""
        for number in range(7):
            applications.create(f"a{number}")
        return applications

    def test_labels_select(self, seven: Applications) -> None:
        """All, or none."""
        assert len(names(seven.list(label_selector="dr=yes"))) == 7
        assert names(seven.list(label_selector="dr=no")) == []

    def test_a_field_selects(self, seven: Applications) -> None:
        """By name, which every kind has."""
        assert names(seven.list(field_selector="metadata.name=a3")) == ["a3"]

    def test_pages_have_every_object_once(self, seven: Applications) -> None:
        """A limit gives a token for the rest, until there is no rest."""
        found, token, pages = [], None, 0
        while token != "":
            page = seven.list(limit=3, **({"_continue": token} if token else {}))
            found += names(page)
            token, pages = page["metadata"].get("continue", ""), pages + 1
        assert found == [f"a{number}" for number in range(7)]
        assert pages == 3

    def test_a_token_that_is_none_is_refused(self, seven: Applications) -> None:
        """The client has to begin anew."""
        with pytest.raises(ApiException) as error:
            seven.list(limit=3, _continue="garbage")
        assert error.value.status in (400, 410)


class TestChanging:
    """Patches and replacement."""

    def test_without_a_status_subresource_a_patch_writes_the_status(
        self, applications: Applications
    ) -> None:
        """Argo CD's CRDs are like that."""
        applications.create("a")
        status = {"sync": {"status": "Synced", "revision": "abc"}}
        assert applications.patch("a", {"status": status})["status"] == status

    def test_a_list_is_no_merge_patch(self, applications: Applications) -> None:
        """The client sends a list as a merge patch unless it is told otherwise."""
        applications.create("a")
        operation = {"op": "replace", "path": "/spec/project", "value": "v2"}
        with pytest.raises(ApiException) as error:
            applications.patch("a", [operation])
        assert error.value.status == 400

    def test_a_json_patch_needs_its_content_type(self, applications: Applications) -> None:
        """And then it works."""
        applications.create("a")
        operation = {"op": "replace", "path": "/spec/project", "value": "v2"}
        patched = applications.patch("a", [operation], _content_type=JSON_PATCH)
        assert patched["spec"]["project"] == "v2"

    def test_a_custom_resource_takes_no_strategic_patch(self, applications: Applications) -> None:
        """Its lists have no merge keys."""
        applications.create("a")
        with pytest.raises(ApiException) as error:
            applications.patch("a", {"spec": {}}, _content_type=STRATEGIC_PATCH)
        assert error.value.status == 415

    def test_a_patch_that_changes_nothing_is_no_change(self, applications: Applications) -> None:
        """The resourceVersion stays."""
        before = applications.create("a")["metadata"]["resourceVersion"]
        after = applications.patch("a", {"spec": {"project": "default"}})
        assert after["metadata"]["resourceVersion"] == before

    def test_null_in_a_merge_patch_removes(self, applications: Applications) -> None:
        """A label goes."""
        applications.create("a")
        patched = applications.patch("a", {"metadata": {"labels": {"dr": None}}})
        assert not patched["metadata"].get("labels")

    def test_an_old_version_cannot_replace_a_new_one(self, applications: Applications) -> None:
        """Who lost a race reads again."""
        old = applications.create("a")
        applications.patch("a", {"metadata": {"annotations": {"x": "1"}}})
        with pytest.raises(ApiException) as error:
            applications.replace("a", old)
        assert refusal(error.value) == (409, "Conflict")

    def test_a_replacement_drops_what_it_does_not_state(self, applications: Applications) -> None:
        """Unlike a patch."""
        applications.create("a")
        current = applications.patch("a", {"metadata": {"annotations": {"x": "1"}}})
        current["metadata"]["annotations"] = {"y": "2"}
        replaced = applications.replace("a", current)
        assert replaced["metadata"]["annotations"] == {"y": "2"}

    def test_a_patch_may_insist_on_a_version(self, applications: Applications) -> None:
        """One that carries an old resourceVersion is refused."""
        applications.create("a")
        stale = {"metadata": {"resourceVersion": "1"}, "spec": {"project": "x"}}
        with pytest.raises(ApiException) as error:
            applications.patch("a", stale)
        assert refusal(error.value) == (409, "Conflict")

    def test_the_generation_counts_changes_of_the_spec(self, applications: Applications) -> None:
        """Controllers compare it with what they observed."""
        before = applications.create("a")["metadata"]["generation"]
        after = applications.patch("a", {"spec": {"project": "p2"}})["metadata"]["generation"]
        labelled = applications.patch("a", {"metadata": {"labels": {"l": "1"}}})
        assert (after, labelled["metadata"]["generation"]) == (before + 1, before + 1)


class TestValidation:
    """What is refused, and what is dropped."""

    def test_a_wrong_type_in_a_custom_resource_is_invalid(self, applications: Applications) -> None:
        """422 with the field's name."""
        with pytest.raises(ApiException) as error:
            applications.create("a", project=5)
        assert refusal(error.value) == (422, "Invalid")
        assert "spec.project" in told(error.value)["message"]

    def test_a_field_that_the_crd_does_not_know_is_pruned(self, applications: Applications) -> None:
        """It is as if it had never been sent."""
        assert "bogus" not in applications.create("a", bogus=1)["spec"]

    def test_an_invalid_deployment_tells_every_mistake(self, apps: Any, namespace: str) -> None:
        """No containers, and a selector that selects something else."""
        body = deployment(template={"metadata": {"labels": {"x": "y"}}, "spec": {"containers": []}})
        with pytest.raises(ApiException) as error:
            apps.create_namespaced_deployment(namespace, body)
        causes = told(error.value)["details"]["causes"]
        fields = {cause["field"] for cause in causes}
        assert {"spec.template.spec.containers", "spec.template.metadata.labels"} <= fields


class TestBuiltInKinds:
    """Nodes and Deployments, which the product reads."""

    def test_a_node_is_ready_when_its_status_says_so(self, core: Any) -> None:
        """Through the status subresource, read back typed."""
        group = uuid.uuid4().hex[:8]
        name = f"node-{group}"
        labels = {"eks.amazonaws.com/nodegroup": group}
        core.create_node({"metadata": {"name": name, "labels": labels}})
        ready = {
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
            "lastHeartbeatTime": "2026-01-01T00:00:00Z",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        core.patch_node_status(name, {"status": {"conditions": [ready]}})
        (node,) = core.list_node(label_selector=f"eks.amazonaws.com/nodegroup={group}").items
        assert [(each.type, each.status) for each in node.status.conditions] == [("Ready", "True")]

    def test_a_deployment_gets_defaults(self, apps: Any, namespace: str) -> None:
        """One replica, rolling updates."""
        made = apps.create_namespaced_deployment(namespace, deployment())
        assert (made.spec.replicas, made.spec.strategy.type) == (1, "RollingUpdate")

    def test_a_plain_patch_leaves_the_status_alone(self, apps: Any, namespace: str) -> None:
        """A Deployment has a status subresource."""
        apps.create_namespaced_deployment(namespace, deployment())
        apps.patch_namespaced_deployment("web", namespace, {"status": {"readyReplicas": 9}})
        assert apps.read_namespaced_deployment("web", namespace).status.ready_replicas is None

    def test_scaling_goes_through_the_scale_subresource(self, apps: Any, namespace: str) -> None:
        """And is seen in the Deployment."""
        apps.create_namespaced_deployment(namespace, deployment())
        patch = {"spec": {"replicas": 3}}
        scale = apps.patch_namespaced_deployment_scale("web", namespace, patch)
        found = apps.read_namespaced_deployment("web", namespace)
        assert (scale.spec.replicas, found.spec.replicas) == (3, 3)

    def test_a_strategic_patch_finds_a_container_by_its_name(
        self, apps: Any, namespace: str
    ) -> None:
        """Its image stays, its environment comes."""
        apps.create_namespaced_deployment(namespace, deployment())
        container = {"name": "c", "env": [{"name": "A", "value": "1"}]}
        pod = {"spec": {"template": {"spec": {"containers": [container]}}}}
        apps.patch_namespaced_deployment("web", namespace, pod)
        found = apps.read_namespaced_deployment("web", namespace)
        (kept,) = found.spec.template.spec.containers
        assert (kept.image, kept.env[0].name) == ("nginx", "A")


class TestDeleting:
    """Preconditions, collections, finalizers."""

    def test_a_delete_may_insist_on_an_identity(self, core: Any, namespace: str) -> None:
        """Not this name, but this very object."""
        core.create_namespaced_config_map(namespace, {"metadata": {"name": "a"}})
        wrong = {"preconditions": {"uid": str(uuid.uuid4())}}
        with pytest.raises(ApiException) as error:
            core.delete_namespaced_config_map("a", namespace, body=wrong)
        assert refusal(error.value) == (409, "Conflict")

    def test_a_collection_is_deleted_by_label(self, core: Any, namespace: str) -> None:
        """The others stay."""
        chosen = {"metadata": {"name": "a", "labels": {"x": "1"}}}
        core.create_namespaced_config_map(namespace, chosen)
        core.create_namespaced_config_map(namespace, {"metadata": {"name": "b"}})
        core.delete_collection_namespaced_config_map(namespace, label_selector="x=1")
        left = core.list_namespaced_config_map(namespace).items
        assert [each.metadata.name for each in left] == ["b"]

    def test_a_finalizer_holds_an_object(self, applications: Applications) -> None:
        """It is marked, and goes when the last finalizer does."""
        body = applications.body("a")
        body["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
        applications.create_raw(body)
        applications.delete("a")
        assert applications.get("a")["metadata"]["deletionTimestamp"]
        applications.patch("a", {"metadata": {"finalizers": None}})
        with pytest.raises(ApiException) as error:
            applications.get("a")
        assert error.value.status == 404


class TestWatching:
    """Streams of changes."""

    def test_a_watch_tells_what_happens_after_a_version(self, applications: Applications) -> None:
        """Come, changed, gone; nothing of before."""
        applications.create("before")
        version = applications.list()["metadata"]["resourceVersion"]
        seen: list[tuple[str, str]] = []

        def follow() -> None:
            stream = WATCH().stream(
                applications.api.list_namespaced_custom_object,
                *(GROUP, VERSION, applications.namespace, PLURAL),
                resource_version=version,
                timeout_seconds=2,
                _request_timeout=TIME_LIMIT,
            )
            seen.extend((event["type"], event["object"]["metadata"]["name"]) for event in stream)

        follower = threading.Thread(target=follow)
        follower.start()
        applications.create("w")
        applications.patch("w", {"spec": {"project": "z"}})
        applications.delete("w")
        follower.join(TIME_LIMIT)
        assert seen == [("ADDED", "w"), ("MODIFIED", "w"), ("DELETED", "w")]

    def test_the_server_ends_a_watch_in_time(self, core: Any) -> None:
        """After timeoutSeconds; a plain watch begins with all that is there."""
        events = WATCH().stream(core.list_namespace, timeout_seconds=1, _request_timeout=TIME_LIMIT)
        assert "default" in {event["object"].metadata.name for event in events}

    def test_a_version_long_forgotten_has_expired(self, applications: Applications) -> None:
        """The error comes inside the stream, and the client raises it."""
        stream = WATCH().stream(
            applications.api.list_namespaced_custom_object,
            *(GROUP, VERSION, applications.namespace, PLURAL),
            resource_version="1",
            timeout_seconds=2,
            _request_timeout=TIME_LIMIT,
        )
        with pytest.raises(ApiException) as error:
            list(stream)
        assert error.value.status == 410

    def test_a_version_that_is_no_number_is_refused(self, applications: Applications) -> None:
        """For lists too."""
        with pytest.raises(ApiException) as error:
            applications.list(resource_version="abc")
        assert error.value.status == 400


class TestServerSideApply:
    """Several managers of one object."""

    @pytest.fixture
    def apply(self, core: Any, namespace: str) -> Callable[..., Any]:
        """Applies the data of a ConfigMap as a manager."""

        def call(data: dict[str, str], manager: str, *, force: bool | None = None) -> Any:
            body = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "c"},
                "data": data,
            }
            return core.patch_namespaced_config_map(
                "c",
                namespace,
                body,
                field_manager=manager,
                force=force,
                _content_type=APPLY_PATCH,
            )

        return call

    def test_an_apply_creates_and_remembers_who_did(self, apply: Callable[..., Any]) -> None:
        """In managedFields."""
        managed = apply({"k": "1"}, "dr").metadata.managed_fields
        assert [(each.manager, each.operation) for each in managed] == [("dr", "Apply")]

    def test_another_managers_field_is_a_conflict(self, apply: Callable[..., Any]) -> None:
        """The refusal says whose it is."""
        apply({"k": "1"}, "dr")
        with pytest.raises(ApiException) as error:
            apply({"k": "2"}, "other")
        assert refusal(error.value) == (409, "Conflict")
        message = told(error.value)["message"]
        assert message == 'Apply failed with 1 conflict: conflict with "dr": .data.k'

    def test_force_takes_a_field_over(self, apply: Callable[..., Any]) -> None:
        """The other manager owns nothing more."""
        apply({"k": "1"}, "dr")
        taken = apply({"k": "3"}, "other", force=True)
        assert taken.data == {"k": "3"}
        assert [each.manager for each in taken.metadata.managed_fields] == ["other"]

    def test_what_is_no_longer_applied_goes(self, apply: Callable[..., Any]) -> None:
        """If nobody else owns it."""
        apply({"a": "1", "b": "1"}, "dr")
        assert apply({"a": "1"}, "dr").data == {"a": "1"}

    def test_two_managers_may_own_the_same_value(self, apply: Callable[..., Any]) -> None:
        """There is no conflict in agreeing."""
        apply({"k": "v"}, "m1")
        managed = apply({"k": "v"}, "m2").metadata.managed_fields
        assert sorted(each.manager for each in managed) == ["m1", "m2"]

    def test_an_edit_by_hand_is_a_conflict_for_the_one_who_applied(
        self, apply: Callable[..., Any], core: Any, namespace: str
    ) -> None:
        """Whoever writes a field owns it."""
        apply({"k": "v"}, "m1")
        edit = {"data": {"k": "edited"}}
        core.patch_namespaced_config_map("c", namespace, edit, field_manager="kubectl-edit")
        with pytest.raises(ApiException) as error:
            apply({"k": "v"}, "m1")
        assert "kubectl-edit" in told(error.value)["message"]

    def test_a_custom_resource_is_created_and_then_found_unchanged(
        self, applications: Applications
    ) -> None:
        """201 the first time, 200 the second."""
        statuses = []
        for _ in range(2):
            answer = applications.api.patch_namespaced_custom_object_with_http_info(
                *(GROUP, VERSION, applications.namespace, PLURAL, "a", applications.body("a")),
                field_manager="dr",
                force=True,
                _content_type=APPLY_PATCH,
            )
            statuses.append(answer[1])
        assert statuses == [201, 200]

    def test_an_apply_must_say_who_applies(self, applications: Applications) -> None:
        """There is no anonymous owner."""
        with pytest.raises(ApiException) as error:
            applications.patch("a", applications.body("a"), _content_type=APPLY_PATCH)
        assert error.value.status in (400, 422)

    def test_the_dynamic_client_applies(self, api: Any, namespace: str, tmp_path: Path) -> None:
        """With its own method for it."""
        found = DYNAMIC(api, cache_file=str(tmp_path / "cache"))
        kind = found.resources.get(api_version="v1", kind="ConfigMap")
        metadata = {"name": "c"}
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}
        applied = kind.server_side_apply(
            namespace=namespace, name="c", body=body, field_manager="dr"
        )
        assert applied.data["a"] == "1"


def test_a_raw_answer_is_json(core: Any, namespace: str) -> None:
    """Compact, with its length, so that clients can keep the connection."""
    answer: HTTPResponse = core.list_namespaced_config_map(namespace, _preload_content=False)
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.data)
