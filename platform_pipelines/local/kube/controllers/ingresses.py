"""Ingresses of class `alb` get a load balancer, and the Region's own names point to it.

The AWS Load Balancer Controller and ExternalDNS in one. ExternalDNS publishes `<region>.<host>`
only: which Region `<host>` itself means is the dns stack's.
"""

import hashlib
import re
from typing import Any, ClassVar

from platform_pipelines.local.kube.controllers.cluster import Cluster, Controller
from platform_pipelines.local.kube.controllers.node_objects import zone_of
from platform_pipelines.local.kube.controllers.objects import (
    Object,
    annotations,
    deleting,
    is_true,
    labels,
    name,
    namespace,
    uid,
)
from platform_pipelines.local.kube.kinds import INGRESS, NODE, POD, SERVICE, Kind

CLASS = "alb"
DNS = "external-dns.kubernetes.io/"
SYNC = 60.0  # seconds between two looks at the records, as ExternalDNS does


class Ingresses(Controller):
    """The load balancers of one cluster."""

    watches: ClassVar[frozenset[Kind]] = frozenset({INGRESS})
    ticks = True

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._made: dict[str, float] = {}  # by the Ingress's uid: when its balancer answers
        self._registered: dict[str, tuple[str, tuple[str, ...]]] = {}  # by uid: name and hosts
        self._published: dict[str, tuple[str, float]] = {}  # by host: target, and when

    def reconcile(self) -> None:
        ingresses = [
            one
            for one in self.store.peek_all(INGRESS)
            if one["spec"].get("ingressClassName") == CLASS
        ]
        for ingress in ingresses:
            if self._answers(ingress):
                self._register(ingress)
                self._publish(ingress)
        self._take_back({uid(one) for one in ingresses})

    def dump(self) -> Any:
        """Load balancers on their way; those that answer are told by their Ingresses."""
        return self._made

    def load(self, state: Any) -> None:
        """Go on with what `dump` gave; balancers and records are said again."""
        self._made = dict(state)
        self._registered.clear()
        self._published.clear()

    def _answers(self, ingress: Object) -> bool:
        """Whether the load balancer is there; the first look at an Ingress starts making it."""
        if _address(ingress) is not None:
            return True
        if uid(ingress) not in self._made:
            seconds = self.cluster.world.durations.load_balancer
            self._made[uid(ingress)] = self.cluster.now() + seconds
            self.cluster.wake(self, seconds)
        return self.cluster.now() >= self._made[uid(ingress)]

    def _register(self, ingress: Object) -> None:
        balancer = _address(ingress) or balancer_name(ingress, self.cluster)
        hosts = _hosts(ingress)
        if self._registered.get(uid(ingress)) != (balancer, hosts):
            space, key = namespace(ingress), name(ingress)
            region = self.cluster.region
            self.cluster.outside.register(
                region, balancer, hosts, lambda: self._has_target(space, key)
            )
            self._registered[uid(ingress)] = (balancer, hosts)
        status = {"loadBalancer": {"ingress": [{"hostname": balancer}]}}
        self.cluster.set_status(INGRESS, ingress, status)

    def _publish(self, ingress: Object) -> None:
        balancer = self._registered[uid(ingress)][0]
        now = self.cluster.now()
        for host in published_hosts(ingress, self.cluster.region.alias):
            target, since = self._published.get(host, ("", 0.0))
            if target == balancer and now - since < SYNC:
                continue
            if self.cluster.outside.upsert_cname(host, balancer):
                self._published[host] = (balancer, now)

    def _take_back(self, alive: set[str]) -> None:
        for gone in self._registered.keys() - alive:
            self.cluster.outside.unregister(self._registered.pop(gone)[0])
        for gone in self._made.keys() - alive:
            del self._made[gone]

    def _has_target(self, space: str | None, key: str) -> bool:
        """Whether a Ready pod is behind the Ingress; asked at every health check and request."""
        ingress = self.store.peek(INGRESS, space, key)
        if ingress is None:
            return False
        pods = [pod for pod in self.store.peek_all(POD, space) if self._answers_checks(pod)]
        return any(
            selector.items() <= labels(pod).items()
            for selector in self._selectors(ingress)
            for pod in pods
        )

    def _answers_checks(self, pod: Object) -> bool:
        """Whether a pod is a healthy target; one on a silent node is none, long before it says so."""
        node = self.store.peek(NODE, None, pod["spec"].get("nodeName", ""))
        heard = node is not None and not self.cluster.silent(zone_of(node))
        return heard and is_true(pod, "Ready") and not deleting(pod)

    def _selectors(self, ingress: Object) -> list[dict[str, str]]:
        names = {
            service["name"]
            for rule in ingress["spec"].get("rules") or []
            for path in (rule.get("http") or {}).get("paths") or []
            if (service := (path.get("backend") or {}).get("service"))
        }
        services = (self.store.peek(SERVICE, namespace(ingress), one) for one in sorted(names))
        return [one["spec"]["selector"] for one in services if one and one["spec"].get("selector")]


def balancer_name(ingress: Object, cluster: Cluster) -> str:
    """The DNS name that the load balancer of an Ingress has in AWS's form."""
    space, own = (
        re.sub(r"[^a-z0-9]", "", part)[:8] for part in (namespace(ingress) or "", name(ingress))
    )
    full = f"{cluster.world.platform.cluster_name(cluster.region)}/{namespace(ingress)}/"
    digest = hashlib.sha256(f"{full}{name(ingress)}".encode())
    number = int.from_bytes(digest.digest()[-4:]) % 10**9 + 10**9
    return f"k8s-{space}-{own}-{digest.hexdigest()[:10]}-{number}.{cluster.region.name}.elb.amazonaws.com"


def published_hosts(ingress: Object, alias: str) -> list[str]:
    """The hosts that ExternalDNS publishes: those of this Region, `<alias>.<host>`."""
    text = annotations(ingress).get(f"{DNS}hostname", "")
    hosts = [host.strip() for host in text.split(",") if host.strip()]
    if annotations(ingress).get(f"{DNS}ingress-hostname-source") != "annotation-only":
        hosts += _hosts(ingress)
    return sorted({host for host in hosts if host.startswith(f"{alias}.")})


def _hosts(ingress: Object) -> tuple[str, ...]:
    rules = ingress["spec"].get("rules") or []
    return tuple(rule["host"] for rule in rules if rule.get("host"))


def _address(ingress: Object) -> str | None:
    balancer = (ingress.get("status") or {}).get("loadBalancer") or {}
    names = (one.get("hostname") for one in balancer.get("ingress") or [])
    return next((one for one in names if one), None)
