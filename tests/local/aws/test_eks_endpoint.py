"""The Kubernetes API of an EKS cluster: when it answers, and what is left of it."""

import pytest

from platform_pipelines.local.aws import eks
from platform_pipelines.local.calls import CallLog, Outcome
from platform_pipelines.local.cluster_port import ClusterPort
from platform_pipelines.local.gate import Gate
from platform_pipelines.local.http import Receive, Scope, Send, json_response, reply
from platform_pipelines.local.kube.kinds import CONFIG_MAP, NAMESPACE, POD
from platform_pipelines.local.kube.store import Store
from tests.local.asgi import Exchange, ask
from tests.local.aws.clusters import NAME, ask_for_cluster, make_cluster, seoul
from tests.local.aws.networks import make_network
from tests.local.aws.regions import Regions


@pytest.fixture
def store(regions: Regions) -> Store:
    """Seoul's objects."""
    return regions.world.stores.setdefault("seoul", Store(regions.world.datetime))


def called(regions: Regions) -> tuple[Exchange, list[Outcome]]:
    """One call to Seoul's Kubernetes API, and what the call log says of it."""

    async def api(_scope: Scope, _receive: Receive, send: Send) -> None:
        await reply(send, json_response(200, {}))

    world = regions.world
    log = CallLog(world.state)
    before = len(list(log.after(0)))
    port = ClusterPort(world, world.platform.region("seoul"), log, api, Gate(world))
    exchange = ask(port, "GET", "/api/v1/pods")
    return exchange, [one.outcome for one in log.after(0)][before:]


def test_without_any_cluster_it_answers(regions: Regions) -> None:
    """So that it can be used without AWS; a Region that is not ours has none."""
    assert called(regions)[0].status == 200
    assert not eks.has_endpoint(regions.world, "us-east-1")


def test_it_answers_once_the_cluster_is_active(regions: Regions) -> None:
    """Before that nobody listens, and the connection is dropped."""
    ask_for_cluster(regions, make_network(regions.world, "seoul"))
    exchange, outcomes = called(regions)
    assert (exchange.status, exchange.aborted, outcomes) == (None, True, [Outcome.DROPPED])
    assert eks.has_endpoint(regions.world, regions.name("tokyo"))
    regions.advance(480)
    exchange, outcomes = called(regions)
    assert (exchange.status, outcomes) == (200, [Outcome.OK])


def test_with_the_cluster_goes_what_it_held(regions: Regions, store: Store) -> None:
    """Whoever watched lists again; a new cluster of the name begins empty."""
    make_cluster(regions)
    store.create(CONFIG_MAP, {"metadata": {"name": "mine"}, "data": {"a": "b"}})
    version = store.version
    seoul(regions, "DeleteCluster", **NAME)
    assert called(regions)[0].status == 200
    regions.advance(3600)
    assert called(regions)[0].aborted
    assert store.list(CONFIG_MAP) == store.list(POD) == []
    assert {one["metadata"]["name"] for one in store.list(NAMESPACE)} >= {"default", "kube-system"}
    assert store.history.oldest > version
    ask_for_cluster(regions, make_network(regions.world, "seoul"))
    assert called(regions)[0].aborted
    regions.advance(480)
    assert called(regions)[0].status == 200


def test_that_it_is_gone_is_remembered(regions: Regions) -> None:
    """Over a restart of the world."""
    make_cluster(regions)
    seoul(regions, "DeleteCluster", **NAME)
    regions.advance(3600)
    state = regions.world._dump()
    regions.world.gone_clusters.clear()
    assert eks.has_endpoint(regions.world, regions.name("seoul"))
    regions.world._load(state)
    assert not eks.has_endpoint(regions.world, regions.name("seoul"))
