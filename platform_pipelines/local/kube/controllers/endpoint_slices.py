"""EndpointSlices tell which pods are behind a Service, and Endpoints the same in the older form.

https://kubernetes.io/docs/concepts/services-networking/endpoint-slices/
"""

from typing import ClassVar

from platform_pipelines.local.kube.controllers.cluster import Controller
from platform_pipelines.local.kube.controllers.node_objects import zone_of
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    deleting,
    is_true,
    labels,
    name,
    namespace,
    owner_reference,
    uid,
)
from platform_pipelines.local.kube.controllers.pods import OVER, phase
from platform_pipelines.local.kube.kinds import ENDPOINT_SLICE, ENDPOINTS, NODE, POD, SERVICE, Kind

OF_SERVICE = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
US = "endpointslice-controller.k8s.io"


class EndpointSlices(Controller):
    """The EndpointSlices of one cluster: one for every Service with a selector."""

    watches: ClassVar[frozenset[Kind]] = frozenset({SERVICE, POD, NODE, ENDPOINT_SLICE, ENDPOINTS})

    def reconcile(self) -> None:
        zones = {name(node): zone_of(node) for node in self.store.peek_all(NODE)}
        for service in self.store.peek_all(SERVICE):
            if service["spec"].get("selector") and not deleting(service):
                self._one(service, zones)
        self._sweep()

    def _one(self, service: Object, zones: dict[str, str | None]) -> None:
        selector = service["spec"]["selector"].items()
        behind = [
            pod
            for pod in self.store.peek_all(POD, namespace(service))
            if selector <= labels(pod).items() and _has_address(pod)
        ]
        ports = [_port(port, behind) for port in service["spec"].get("ports") or []]
        slice_ = {
            "metadata": _metadata(service) | {"generateName": f"{name(service)}-"},
            "addressType": "IPv4",
            "endpoints": [_endpoint(pod, zones) for pod in behind],
            "ports": ports,
        }
        self._put(ENDPOINT_SLICE, self._slice_of(service), slice_)
        known = self.store.peek(ENDPOINTS, namespace(service), name(service))
        self._put(ENDPOINTS, known, _endpoints(service, behind, ports))

    def _slice_of(self, service: Object) -> Object | None:
        found = (
            one
            for one in self.store.peek_all(ENDPOINT_SLICE, namespace(service))
            if labels(one).get(OF_SERVICE) == name(service) and labels(one).get(MANAGED_BY) == US
        )
        return next(found, None)

    def _put(self, kind: Kind, known: Object | None, wanted: Object) -> None:
        if known is None:
            self.store.create(kind, wanted)
        elif any(known.get(key) != value for key, value in wanted.items() if key != "metadata"):
            self.store.update(kind, wanted | {"metadata": known["metadata"]})

    def _sweep(self) -> None:
        """Forget the slices of Services that are gone or have no selector any more."""
        for one in self.store.peek_all(ENDPOINT_SLICE):
            service = self.store.peek(SERVICE, namespace(one), labels(one).get(OF_SERVICE, ""))
            ours = labels(one).get(MANAGED_BY) == US
            if ours and (service is None or not service["spec"].get("selector")):
                self.cluster.delete(ENDPOINT_SLICE, one)


def _has_address(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("podIP")) and phase(pod) not in OVER


def _metadata(service: Object) -> Object:
    return {
        "namespace": namespace(service),
        "labels": labels(service) | {OF_SERVICE: name(service), MANAGED_BY: US},
        "ownerReferences": [owner_reference(service)],
    }


def _endpoint(pod: Object, zones: dict[str, str | None]) -> Object:
    node, serving = pod["spec"].get("nodeName", ""), is_true(pod, "Ready")
    zone = zones.get(node)
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {
            "ready": serving and not deleting(pod),
            "serving": serving,
            "terminating": deleting(pod),
        },
        "nodeName": node,
        "targetRef": _reference(pod),
        **({"zone": zone} if zone else {}),
    }


def _reference(pod: Object) -> Object:
    return {"kind": "Pod", "name": name(pod), "namespace": namespace(pod), "uid": uid(pod)}


def _port(port: Object, pods: list[Object]) -> Object:
    """A Service's port as the number that its pods have."""
    target = port.get("targetPort", port["port"])
    number = target if isinstance(target, int) else _named(str(target), pods)
    return {
        "name": port.get("name", ""),
        "protocol": port.get("protocol", "TCP"),
        **({} if number is None else {"port": number}),
    }


def _named(target: str, pods: list[Object]) -> int | None:
    ports = (
        port
        for pod in pods
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
    )
    return next((int(one["containerPort"]) for one in ports if one.get("name") == target), None)


def _endpoints(service: Object, behind: list[Object], ports: list[Object]) -> Object:
    alive = [pod for pod in behind if not deleting(pod)]
    groups = {
        "addresses": [pod for pod in alive if is_true(pod, "Ready")],
        "notReadyAddresses": [pod for pod in alive if not is_true(pod, "Ready")],
    }
    told = {key: [_address(pod) for pod in pods] for key, pods in groups.items() if pods}
    subsets = [told | {"ports": ports}] if told else []
    metadata = {"name": name(service), "namespace": namespace(service), "labels": labels(service)}
    return {"metadata": metadata, "subsets": subsets}


def _address(pod: Object) -> Object:
    address = {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName", "")}
    return address | {"targetRef": _reference(pod)}
