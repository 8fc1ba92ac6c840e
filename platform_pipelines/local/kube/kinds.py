"""The kinds that a local cluster serves, as data: names, scope and subresources.

Everything else reads this registry: discovery, the store, validation, tables and the controllers.
A built-in kind's fields are those of the official client's model; a custom kind's are in `custom`.
"""

from collections.abc import Iterable

from platform_pipelines.local.kube.kind import Kind as Kind


def _core(
    kind: str, plural: str, *short: str, namespaced: bool = True, status: bool = False
) -> Kind:
    return _grouped("", kind, plural, *short, namespaced=namespaced, status=status)


def _workload(kind: str, plural: str, short: str, *, scale: bool = False) -> Kind:
    return Kind(
        group="apps",
        version="v1",
        kind=kind,
        plural=plural,
        model=f"V1{kind}",
        short=(short,),
        categories=("all",),
        status=True,
        scale=scale,
        generation=True,
    )


def _grouped(
    group: str,
    kind: str,
    plural: str,
    *short: str,
    version: str = "v1",
    namespaced: bool = True,
    status: bool = False,
    generation: bool = False,
) -> Kind:
    return Kind(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        model=f"{version.upper()}{kind}",
        short=short,
        namespaced=namespaced,
        status=status,
        generation=generation,
    )


def _argo(kind: str, plural: str, *short: str) -> Kind:
    return Kind(
        group="argoproj.io",
        version="v1alpha1",
        kind=kind,
        plural=plural,
        short=short,
        generation=True,
    )


def _review(group: str, kind: str, plural: str) -> Kind:
    return Kind(
        group=f"{group}.k8s.io",
        version="v1",
        kind=kind,
        plural=plural,
        model=f"V1{kind}",
        namespaced=False,
        review=True,
    )


_ALL = ("all",)
_RBAC = "rbac.authorization.k8s.io"

NAMESPACE = _core("Namespace", "namespaces", "ns", namespaced=False, status=True)
NODE = _core("Node", "nodes", "no", namespaced=False, status=True)
POD = Kind(
    group="",
    version="v1",
    kind="Pod",
    plural="pods",
    model="V1Pod",
    short=("po",),
    categories=_ALL,
    status=True,
    generation=True,
)
SERVICE = Kind(
    group="",
    version="v1",
    kind="Service",
    plural="services",
    model="V1Service",
    short=("svc",),
    categories=_ALL,
    status=True,
)
ENDPOINTS = _core("Endpoints", "endpoints", "ep")
CONFIG_MAP = _core("ConfigMap", "configmaps", "cm")
SECRET = _core("Secret", "secrets")
SERVICE_ACCOUNT = _core("ServiceAccount", "serviceaccounts", "sa")
PERSISTENT_VOLUME = _core(
    "PersistentVolume", "persistentvolumes", "pv", namespaced=False, status=True
)
PERSISTENT_VOLUME_CLAIM = _core(
    "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", status=True
)
EVENT = Kind(
    group="", version="v1", kind="Event", plural="events", model="CoreV1Event", short=("ev",)
)
DEPLOYMENT = _workload("Deployment", "deployments", "deploy", scale=True)
REPLICA_SET = _workload("ReplicaSet", "replicasets", "rs", scale=True)
STATEFUL_SET = _workload("StatefulSet", "statefulsets", "sts", scale=True)
CONTROLLER_REVISION = _grouped("apps", "ControllerRevision", "controllerrevisions")
DAEMON_SET = _workload("DaemonSet", "daemonsets", "ds")
JOB = _grouped("batch", "Job", "jobs", status=True, generation=True)
CRON_JOB = _grouped("batch", "CronJob", "cronjobs", "cj", status=True, generation=True)
ENDPOINT_SLICE = _grouped("discovery.k8s.io", "EndpointSlice", "endpointslices", generation=True)
INGRESS = _grouped("networking.k8s.io", "Ingress", "ingresses", "ing", status=True, generation=True)
INGRESS_CLASS = _grouped(
    "networking.k8s.io", "IngressClass", "ingressclasses", namespaced=False, generation=True
)
NETWORK_POLICY = _grouped(
    "networking.k8s.io", "NetworkPolicy", "networkpolicies", "netpol", generation=True
)
STORAGE_CLASS = _grouped("storage.k8s.io", "StorageClass", "storageclasses", "sc", namespaced=False)
POD_DISRUPTION_BUDGET = _grouped(
    "policy", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", status=True, generation=True
)
HORIZONTAL_POD_AUTOSCALER = _grouped(
    "autoscaling",
    "HorizontalPodAutoscaler",
    "horizontalpodautoscalers",
    "hpa",
    version="v2",
    status=True,
)
ROLE = _grouped(_RBAC, "Role", "roles")
ROLE_BINDING = _grouped(_RBAC, "RoleBinding", "rolebindings")
CLUSTER_ROLE = _grouped(_RBAC, "ClusterRole", "clusterroles", namespaced=False)
CLUSTER_ROLE_BINDING = _grouped(
    _RBAC, "ClusterRoleBinding", "clusterrolebindings", namespaced=False
)
LEASE = _grouped("coordination.k8s.io", "Lease", "leases")
CUSTOM_RESOURCE_DEFINITION = _grouped(
    "apiextensions.k8s.io",
    "CustomResourceDefinition",
    "customresourcedefinitions",
    "crd",
    "crds",
    namespaced=False,
    status=True,
    generation=True,
)
SELF_SUBJECT_REVIEW = _review("authentication", "SelfSubjectReview", "selfsubjectreviews")
SELF_SUBJECT_ACCESS_REVIEW = _review(
    "authorization", "SelfSubjectAccessReview", "selfsubjectaccessreviews"
)
SELF_SUBJECT_RULES_REVIEW = _review(
    "authorization", "SelfSubjectRulesReview", "selfsubjectrulesreviews"
)
# Argo CD's CRDs have no status subresource: whoever may write an Application may write its status.
APPLICATION = _argo("Application", "applications", "app", "apps")
APP_PROJECT = _argo("AppProject", "appprojects", "appproj", "appprojs")

KINDS: tuple[Kind, ...] = (
    NAMESPACE,
    NODE,
    POD,
    SERVICE,
    ENDPOINTS,
    CONFIG_MAP,
    SECRET,
    SERVICE_ACCOUNT,
    PERSISTENT_VOLUME,
    PERSISTENT_VOLUME_CLAIM,
    EVENT,
    DEPLOYMENT,
    REPLICA_SET,
    STATEFUL_SET,
    DAEMON_SET,
    CONTROLLER_REVISION,
    JOB,
    CRON_JOB,
    ENDPOINT_SLICE,
    INGRESS,
    INGRESS_CLASS,
    NETWORK_POLICY,
    STORAGE_CLASS,
    POD_DISRUPTION_BUDGET,
    HORIZONTAL_POD_AUTOSCALER,
    ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    LEASE,
    CUSTOM_RESOURCE_DEFINITION,
    SELF_SUBJECT_REVIEW,
    SELF_SUBJECT_ACCESS_REVIEW,
    SELF_SUBJECT_RULES_REVIEW,
    APPLICATION,
    APP_PROJECT,
)

_BY_KIND = {(kind.api_version, kind.kind): kind for kind in KINDS}
_BY_RESOURCE = {(kind.group, kind.version, kind.plural): kind for kind in KINDS}


def by_kind(api_version: str, kind: str) -> Kind | None:
    """The kind that an object names, as `by_kind("apps/v1", "Deployment")`."""
    return _BY_KIND.get((api_version, kind))


def by_resource(group: str, version: str, plural: str) -> Kind | None:
    """The kind that a path names."""
    return _BY_RESOURCE.get((group, version, plural))


def of_version(group: str, version: str) -> list[Kind]:
    """The kinds of one group and version."""
    return [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]


def versions(kinds: Iterable[Kind] = KINDS) -> list[tuple[str, str]]:
    """Every (group, version), in order of registration."""
    return list(dict.fromkeys((kind.group, kind.version) for kind in kinds))
