"""What a rehearsal asks of the platform: plain questions to AWS's and Kubernetes' APIs."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError
from kubernetes import client
from kubernetes.client.rest import RESTClientObject

from tests.local.rehearsals.building import GLOBAL, REPOSITORY, Place
from tests.local_world import LocalWorld

ZONE_LABEL = "topology.kubernetes.io/zone"


@dataclass(kw_only=True)
class Rehearsal:
    """A world with the platform in it."""

    world: LocalWorld
    places: dict[str, Place]
    began: float = 0.0  # AWS-like Unix seconds
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def aws(self, service: str, alias: str = "seoul") -> Any:
        """A client of a service in a Region."""
        if (service, alias) not in self._clients:
            self._clients[service, alias] = self.world.aws(service, alias, read_timeout=3)
        return self._clients[service, alias]

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.world.control.advance(seconds)

    def elapsed(self) -> float:
        """AWS-like seconds since the rehearsal began."""
        return self.world.control.clock().unix - self.began

    # Kubernetes

    def core(self, alias: str = "seoul") -> Any:
        """A cluster's core API."""
        if ("core", alias) not in self._clients:
            api = self.world.kube(alias)
            api.configuration.retries = False
            api.rest_client = RESTClientObject(api.configuration)
            self._clients["core", alias] = client.CoreV1Api(api)
        return self._clients["core", alias]

    def apps(self, alias: str = "seoul") -> Any:
        """A cluster's API of workloads."""
        return client.AppsV1Api(self.core(alias).api_client)

    def ready_nodes(self, alias: str = "seoul") -> dict[str, str]:
        """The status of each node's Ready condition, by its zone: True, False or Unknown. Several
        of a zone are in one word."""
        found: dict[str, list[str]] = {}
        for node in self.core(alias).list_node().items:
            ready = next(one.status for one in node.status.conditions if one.type == "Ready")
            found.setdefault(node.metadata.labels[ZONE_LABEL], []).append(ready)
        return {zone: " ".join(sorted(states)) for zone, states in sorted(found.items())}

    def pods(self, alias: str = "seoul", app: str = "web") -> list[Any]:
        """A Deployment's pods that nobody has deleted."""
        found = self.core(alias).list_namespaced_pod("default", label_selector=f"app={app}").items
        return [pod for pod in found if pod.metadata.deletion_timestamp is None]

    def ready_pods(self, alias: str = "seoul") -> int:
        """How many pods of `web` take traffic."""
        conditions = [pod.status.conditions or [] for pod in self.pods(alias)]
        return sum(
            any(one.type == "Ready" and one.status == "True" for one in of) for of in conditions
        )

    def zones_of_pods(self, alias: str = "seoul") -> set[str]:
        """The zones in which pods of `web` run."""
        nodes = self.core(alias).list_node().items
        zones = {node.metadata.name: node.metadata.labels[ZONE_LABEL] for node in nodes}
        return {zones[pod.spec.node_name] for pod in self.pods(alias)}

    def waiting(self, alias: str = "seoul", app: str = "web") -> set[str]:
        """Why the containers of a Deployment wait."""
        statuses = [
            one for pod in self.pods(alias, app) for one in pod.status.container_statuses or []
        ]
        return {one.state.waiting.reason for one in statuses if one.state.waiting}

    # AWS

    def writer(self, alias: str = "seoul") -> str:
        """The instance that writes in a Region's DB cluster, by its number; none is `-`."""
        cluster = self.aws("rds", alias).describe_db_clusters()["DBClusters"][0]
        members = cluster["DBClusterMembers"]
        return next(
            (one["DBInstanceIdentifier"][-1] for one in members if one["IsClusterWriter"]), "-"
        )

    def global_writer(self, alias: str = "seoul") -> str:
        """The Region that writes in the global cluster, as a Region's API says."""
        found = self.aws("rds", alias).describe_global_clusters()["GlobalClusters"][0]
        writers = [one for one in found["GlobalClusterMembers"] if one["IsWriter"]]
        return " ".join(one["DBClusterArn"].rpartition("-")[2] for one in writers)

    def database(self, alias: str = "seoul") -> str:
        """The status of a Region's DB cluster."""
        name = f"{GLOBAL}-{alias}"
        found = self.aws("rds", alias).describe_db_clusters(DBClusterIdentifier=name)
        return str(found["DBClusters"][0]["Status"])

    def instances(self, alias: str = "seoul") -> dict[str, str]:
        """The status of each DB instance, by its number."""
        found = self.aws("rds", alias).describe_db_instances()["DBInstances"]
        return {one["DBInstanceIdentifier"][-1]: one["DBInstanceStatus"] for one in found}

    def file_system(self, alias: str) -> str:
        """The id of a Region's file system."""
        return self.places[alias].file_system

    def replication(self, alias: str = "seoul") -> str:
        """The status of the file system's replication as a Region sees it; `none` if it has gone."""
        found = self._replication(alias)
        return str(found["Status"]) if found else "none"

    def behind(self, alias: str = "seoul") -> float:
        """AWS-like seconds since the last sync."""
        found = self._replication(alias)
        assert found
        last: float = found["LastReplicatedTimestamp"].timestamp()
        return self.world.control.clock().unix - last

    def _replication(self, alias: str) -> dict[str, Any]:
        efs = self.aws("efs", alias)
        found = efs.describe_replication_configurations()["Replications"]
        return dict(found[0]["Destinations"][0]) if found else {}

    def aurora_lag(self) -> float | None:
        """Milliseconds that Tokyo's Aurora was behind in the last minute; None without a value."""
        moment = self.world.control.clock().unix
        found = self.aws("cloudwatch", "tokyo").get_metric_statistics(
            Namespace="AWS/RDS",
            MetricName="AuroraGlobalDBReplicationLag",
            Dimensions=[{"Name": "DBClusterIdentifier", "Value": f"{GLOBAL}-tokyo"}],
            StartTime=moment - 60,
            EndTime=moment + 1,
            Period=60,
            Statistics=["Maximum"],
        )["Datapoints"]
        return max((point["Maximum"] for point in found), default=None)

    def node_group(self, alias: str = "seoul", name: str = "web") -> dict[str, Any]:
        """A node group of a Region's cluster."""
        cluster = self.places[alias].cluster
        found = self.aws("eks", alias).describe_nodegroup(clusterName=cluster, nodegroupName=name)
        group: dict[str, Any] = found["nodegroup"]
        return group

    def scale(self, size: int, alias: str = "seoul") -> str:
        """Ask for another number of nodes; the update's id."""
        accepted = self.aws("eks", alias).update_nodegroup_config(
            clusterName=self.places[alias].cluster,
            nodegroupName="web",
            scalingConfig={"minSize": 0, "maxSize": 9, "desiredSize": size},
        )
        return str(accepted["update"]["id"])

    def has_image(self, alias: str, tag: str) -> bool:
        """Whether a Region's registry has an image of this tag."""
        found = self.aws("ecr", alias).list_images(repositoryName=REPOSITORY)["imageIds"]
        return tag in [one.get("imageTag") for one in found]


def refusal(call: Any, **params: Any) -> str:
    """The code with which AWS refuses a call."""
    with pytest.raises(ClientError) as refused:
        call(**params)
    return str(refused.value.response["Error"]["Code"])


def gone(describe: Any, **params: Any) -> bool:
    """Whether AWS says that there is no such resource."""
    try:
        describe(**params)
    except ClientError as refused:
        code = refused.response["Error"]["Code"]
        assert "NotFound" in code, code
        return True
    return False
