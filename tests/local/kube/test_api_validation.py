"""What the API refuses, prunes and warns of, kind by kind."""

from typing import Any

import pytest

from platform_pipelines.local.kube import admission
from platform_pipelines.local.kube.admission import Strictness
from platform_pipelines.local.kube.faults import KubeFault
from platform_pipelines.local.kube.kinds import (
    APPLICATION,
    CONFIG_MAP,
    CRON_JOB,
    DEPLOYMENT,
    HORIZONTAL_POD_AUTOSCALER,
    INGRESS,
    JOB,
    NAMESPACE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    POD_DISRUPTION_BUDGET,
    ROLE_BINDING,
    SERVICE,
    Kind,
)
from platform_pipelines.local.kube.objects import Obj, clone

CONTAINER = {"name": "c", "image": "nginx"}


def pod(**spec: Any) -> Obj:
    """A pod."""
    return {"metadata": {"name": "x"}, "spec": {"containers": [CONTAINER], **spec}}


def container(**fields: Any) -> Obj:
    """A pod of one container with these fields."""
    return pod(containers=[{**CONTAINER, **fields}])


def deployment(**spec: Any) -> Obj:
    """A Deployment."""
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [CONTAINER]}}
    selector = {"matchLabels": {"a": "b"}}
    return {
        "metadata": {"name": "x"},
        "spec": {"selector": selector, "template": template, **spec},
    }


def spec(**fields: Any) -> Obj:
    """An object of this spec."""
    return {"metadata": {"name": "x"}, "spec": fields}


def path(**fields: Any) -> Obj:
    """An Ingress of one path."""
    backend = {"service": {"name": "s", "port": {"number": 80}}}
    return spec(rules=[{"http": {"paths": [{"backend": backend, **fields}]}}])


def refused(kind: Kind, obj: Obj, old: Obj | None = None) -> set[tuple[str, str]]:
    """The fields that are refused, each with the reason."""
    decoded, _ = admission.decode(kind, clone(obj))
    if old is not None:
        old, _ = admission.decode(kind, clone(old))
        admission.check(kind, old, None)
    with pytest.raises(KubeFault) as error:
        admission.check(kind, decoded, old)
    assert (error.value.code, error.value.reason) == (422, "Invalid")
    return {(cause["field"], cause["reason"]) for cause in error.value.details["causes"]}


REQUIRED, INVALID = "FieldValueRequired", "FieldValueInvalid"
UNSUPPORTED, DUPLICATE = "FieldValueNotSupported", "FieldValueDuplicate"
FORBIDDEN, NOT_FOUND = "FieldValueForbidden", "FieldValueNotFound"
FIRST = "spec.containers[0]"


@pytest.mark.parametrize(
    ("kind", "obj", "field", "reason"),
    [
        (POD, {"metadata": {}, "spec": pod()["spec"]}, "metadata.name", REQUIRED),
        (POD, {**pod(), "metadata": {"name": "A_b"}}, "metadata.name", INVALID),
        (NAMESPACE, {"metadata": {"name": "a.b"}}, "metadata.name", INVALID),
        (
            POD,
            {**pod(), "metadata": {"name": "x", "labels": {"a b": "c"}}},
            "metadata.labels",
            INVALID,
        ),
        (
            POD,
            {**pod(), "metadata": {"name": "x", "labels": {"a": "c d"}}},
            "metadata.labels",
            INVALID,
        ),
        (POD, pod(containers=[]), "spec.containers", REQUIRED),
        (POD, pod(restartPolicy="Sometimes"), "spec.restartPolicy", UNSUPPORTED),
        (POD, pod(containers=[{"image": "x"}]), f"{FIRST}.name", REQUIRED),
        (POD, pod(containers=[{"name": "c"}]), f"{FIRST}.image", REQUIRED),
        (POD, pod(containers=[CONTAINER, CONTAINER]), "spec.containers[1].name", DUPLICATE),
        (POD, container(name="Big"), f"{FIRST}.name", INVALID),
        (POD, container(imagePullPolicy="Never Ever"), f"{FIRST}.imagePullPolicy", UNSUPPORTED),
        (POD, container(ports=[{"containerPort": 0}]), f"{FIRST}.ports[0].containerPort", INVALID),
        (
            POD,
            container(ports=[{"containerPort": 1, "protocol": "IP"}]),
            f"{FIRST}.ports[0].protocol",
            UNSUPPORTED,
        ),
        (
            POD,
            container(volumeMounts=[{"name": "v", "mountPath": "/v"}]),
            f"{FIRST}.volumeMounts[0].name",
            NOT_FOUND,
        ),
        (
            POD,
            container(resources={"limits": {"cpu": "many"}}),
            f"{FIRST}.resources.limits[cpu]",
            INVALID,
        ),
        (POD, container(livenessProbe={}), f"{FIRST}.livenessProbe", REQUIRED),
        (
            POD,
            container(livenessProbe={"exec": {}, "periodSeconds": -1}),
            f"{FIRST}.livenessProbe.periodSeconds",
            INVALID,
        ),
        (DEPLOYMENT, deployment(replicas=-1), "spec.replicas", INVALID),
        (DEPLOYMENT, deployment(selector={}), "spec.selector", INVALID),
        (DEPLOYMENT, spec(template={}), "spec.selector", REQUIRED),
        (DEPLOYMENT, deployment(strategy={"type": "Magic"}), "spec.strategy.type", UNSUPPORTED),
        (
            DEPLOYMENT,
            deployment(strategy={"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}),
            "spec.strategy.rollingUpdate",
            FORBIDDEN,
        ),
        (
            DEPLOYMENT,
            deployment(strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}),
            "spec.strategy.rollingUpdate.maxUnavailable",
            INVALID,
        ),
        (
            DEPLOYMENT,
            deployment(selector={"matchLabels": {"other": "x"}}),
            "spec.template.metadata.labels",
            INVALID,
        ),
        (
            JOB,
            spec(template={"spec": {"containers": [CONTAINER]}}),
            "spec.template.spec.restartPolicy",
            UNSUPPORTED,
        ),
        (CRON_JOB, spec(schedule="daily", jobTemplate={}), "spec.schedule", INVALID),
        (SERVICE, spec(selector={"a": "b"}), "spec.ports", REQUIRED),
        (SERVICE, spec(ports=[{"port": 99999}]), "spec.ports[0].port", INVALID),
        (SERVICE, spec(ports=[{"port": 1}, {"port": 2}]), "spec.ports[0].name", REQUIRED),
        (SERVICE, spec(type="Magic", ports=[{"port": 1}]), "spec.type", UNSUPPORTED),
        (CONFIG_MAP, {"metadata": {"name": "x"}, "data": {"a/b": "c"}}, "data[a/b]", INVALID),
        (INGRESS, spec(), "spec", INVALID),
        (INGRESS, path(path="/"), "spec.rules[0].http.paths[0].pathType", REQUIRED),
        (
            INGRESS,
            path(path="/", pathType="Regex"),
            "spec.rules[0].http.paths[0].pathType",
            UNSUPPORTED,
        ),
        (
            INGRESS,
            path(path="no", pathType="Prefix"),
            "spec.rules[0].http.paths[0].path",
            INVALID,
        ),
        (PERSISTENT_VOLUME_CLAIM, spec(accessModes=["All"]), "spec.accessModes", UNSUPPORTED),
        (PERSISTENT_VOLUME_CLAIM, spec(), "spec.resources[storage]", REQUIRED),
        (
            HORIZONTAL_POD_AUTOSCALER,
            spec(maxReplicas=1, minReplicas=2, scaleTargetRef={"kind": "D", "name": "d"}),
            "spec.maxReplicas",
            INVALID,
        ),
        (POD_DISRUPTION_BUDGET, spec(minAvailable=1, maxUnavailable=1), "spec", INVALID),
        (
            ROLE_BINDING,
            {"metadata": {"name": "x"}, "roleRef": {"kind": "Role"}},
            "roleRef.name",
            REQUIRED,
        ),
        (APPLICATION, spec(project="default"), "spec.destination", REQUIRED),
        (
            APPLICATION,
            spec(project="default", destination={}, source={}),
            "spec.source.repoURL",
            REQUIRED,
        ),
    ],
)
def test_a_broken_rule_names_the_field(kind: Kind, obj: Obj, field: str, reason: str) -> None:
    """With the reason that the real API gives."""
    assert (field, reason) in refused(kind, obj)


@pytest.mark.parametrize(
    ("kind", "obj"),
    [
        (POD, pod()),
        (POD, container(resources={"limits": {"cpu": 1, "memory": "1.5Gi"}})),
        (DEPLOYMENT, deployment(replicas=0)),
        (SERVICE, spec(clusterIP="None", selector={"a": "b"})),
        (SERVICE, spec(type="ExternalName", externalName="a.example")),
        (
            CRON_JOB,
            spec(
                schedule="@daily",
                jobTemplate={
                    "spec": {"template": {"spec": {**pod()["spec"], "restartPolicy": "Never"}}}
                },
            ),
        ),
        (INGRESS, path(path="/", pathType="Prefix")),
        (APPLICATION, spec(project="default", destination={"namespace": "web"})),
    ],
)
def test_what_keeps_the_rules_is_taken(kind: Kind, obj: Obj) -> None:
    """Without a word."""
    decoded, warnings = admission.decode(kind, clone(obj))
    admission.check(kind, decoded, None)
    assert warnings == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "field"),
    [
        (
            DEPLOYMENT,
            deployment(),
            deployment(
                selector={"matchLabels": {"c": "d"}},
                template={"metadata": {"labels": {"c": "d"}}, "spec": {"containers": [CONTAINER]}},
            ),
            "spec.selector",
        ),
        (POD, pod(), pod(nodeSelector={"a": "b"}), "spec"),
        (
            CONFIG_MAP,
            {"metadata": {"name": "x"}, "immutable": True, "data": {"a": "1"}},
            {"metadata": {"name": "x"}, "immutable": True, "data": {"a": "2"}},
            "data",
        ),
        (
            ROLE_BINDING,
            {"metadata": {"name": "x"}, "roleRef": {"kind": "Role", "name": "a"}},
            {"metadata": {"name": "x"}, "roleRef": {"kind": "Role", "name": "b"}},
            "roleRef",
        ),
    ],
)
def test_some_fields_stay_as_they_were_made(kind: Kind, old: Obj, new: Obj, field: str) -> None:
    """A change of them is refused."""
    assert field in {name for name, _ in refused(kind, new, old)}


def test_a_pods_image_may_change() -> None:
    """It is nearly the only thing."""
    old, new = pod(), container(image="other")
    admission.check(POD, old, None)
    admission.check(POD, new, old)
    assert new["spec"]["containers"][0]["image"] == "other"


def test_what_was_wrong_already_does_not_stop_a_change() -> None:
    """A status that a controller wrote badly must not block the next annotation."""
    old = spec(project="default", destination={}) | {"status": {"sync": {}}}
    new = clone(old)
    new["metadata"]["annotations"] = {"refresh": "hard"}
    decoded, _ = admission.decode(APPLICATION, new)
    admission.check(APPLICATION, decoded, old)


def test_every_mistake_is_told_at_once() -> None:
    """One round trip is enough."""
    body = pod(restartPolicy="Sometimes", containers=[{"name": "Big"}])
    fields = {field for field, _ in refused(POD, body)}
    assert fields == {"spec.restartPolicy", f"{FIRST}.name", f"{FIRST}.image"}


def test_an_unknown_field_is_pruned_warned_of_or_refused() -> None:
    """As the request's fieldValidation says."""
    body = deployment(replicaz=3)
    kept, warnings = admission.decode(DEPLOYMENT, clone(body), Strictness.WARN)
    assert "replicaz" not in kept["spec"]
    assert warnings == ['unknown field "spec.replicaz"']
    assert admission.decode(DEPLOYMENT, clone(body), Strictness.IGNORE)[1] == []
    with pytest.raises(KubeFault) as error:
        admission.decode(DEPLOYMENT, clone(body), Strictness.STRICT)
    assert error.value.code == 400


def test_a_built_in_kind_of_the_wrong_type_cannot_be_decoded() -> None:
    """400, where a custom resource is 422."""
    with pytest.raises(KubeFault) as error:
        admission.decode(DEPLOYMENT, deployment(replicas="three"))
    assert error.value.code == 400
    assert "spec.replicas of type int32" in error.value.message
    with pytest.raises(KubeFault) as error:
        admission.decode(APPLICATION, spec(project=True))
    assert error.value.code == 422


def test_a_null_is_as_if_it_were_not_there() -> None:
    """And a quantity that is a number becomes text."""
    body = container(env=None, resources={"limits": {"cpu": 2}})
    kept, _ = admission.decode(POD, body)
    (only,) = kept["spec"]["containers"]
    assert only == {**CONTAINER, "resources": {"limits": {"cpu": "2"}}}
