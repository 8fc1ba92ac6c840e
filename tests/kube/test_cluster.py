import base64
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from platform_pipelines.aws.region import AwsRegion
from platform_pipelines.kube.cluster import (
    PAGE,
    Cluster,
    KubeError,
    connect,
)
from platform_pipelines.kube.token import TOKEN_KEPT, TOKEN_PREFIX, Bearer, token
from platform_pipelines.local.tls import ensure_ca
from tests.fakes.kube import FakeKube
from tests.kube.conftest import NAME, QUICK, FakeEks

Seoul = Callable[[FakeEks], AwsRegion]


def presigned(bearer: str) -> str:
    """The URL inside a token."""
    encoded = bearer.removeprefix(f"Bearer {TOKEN_PREFIX}").removeprefix(TOKEN_PREFIX)
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()


def test_a_token_is_a_call_that_only_the_clusters_own_region_can_answer(seoul: Seoul) -> None:
    """The URL asks the Region's STS who we are, and is bound to one cluster by a signed header."""
    text = token(seoul(FakeEks(None, b"")), NAME)
    query = parse_qs(urlsplit(presigned(text)).query)
    assert query["Action"] == ["GetCallerIdentity"]
    assert query["X-Amz-Expires"] == ["60"]
    assert "x-k8s-aws-id" in query["X-Amz-SignedHeaders"][0]
    assert "/ap-northeast-2/sts/" in query["X-Amz-Credential"][0]
    assert not text.endswith("=")


def test_a_token_is_used_for_twelve_minutes_and_then_made_anew() -> None:
    """EKS takes a token for 15 minutes; ours is never older than 12."""
    now = [0.0]
    made = iter(["first", "second"])
    bearer = Bearer(lambda: next(made), lambda: now[0])
    assert [bearer(), bearer()] == ["first", "first"]
    now[0] = TOKEN_KEPT - 1
    assert bearer() == "first"
    now[0] = TOKEN_KEPT
    assert bearer() == "second"


def test_every_call_carries_the_token(cluster: Cluster, api: FakeKube) -> None:
    """Plain reads and the official clients authenticate in the same way."""
    api.collections["/api/v1/nodes"] = []
    cluster.list("/api/v1/nodes")
    cluster.core.list_node()
    tokens = {bearer for _, _, bearer in api.requests}
    assert len(api.requests) == 2
    assert len(tokens) == 1
    assert "GetCallerIdentity" in presigned(tokens.pop())


def test_a_collection_is_read_to_its_last_page(cluster: Cluster, api: FakeKube) -> None:
    """Nothing is lost when there are more objects than a page holds."""
    api.collections["/api/v1/pods"] = [{"metadata": {"name": str(n)}} for n in range(2 * PAGE + 1)]
    names = [item["metadata"]["name"] for item in cluster.list("/api/v1/pods")]
    assert names == [str(n) for n in range(2 * PAGE + 1)]
    assert len(api.requests) == 3


def test_a_silent_cluster_costs_one_time_limit(cluster: Cluster, api: FakeKube) -> None:
    """A call that nobody answers ends, is not tried again, and says what to look at."""
    api.silent = True
    with pytest.raises(
        KubeError, match=r"peccy-seoul, GET /api/v1/nodes: .*timed out.*Region"
    ) as at:
        cluster.list("/api/v1/nodes")
    assert at.value.status is None
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("status", "message", "next_step"),
    [
        (401, "Unauthorized", "access entry"),
        (403, "pods is forbidden", "access entry"),
        (404, "not found", "CRD"),
        (500, "etcd is gone", "API server log"),
    ],
)
def test_a_refusal_says_where_what_and_what_next(
    cluster: Cluster, api: FakeKube, status: int, message: str, next_step: str
) -> None:
    """Plain reads and the official clients raise the same error."""
    api.refuses = (status, message)
    calls: list[Callable[[], object]] = [
        lambda: cluster.read("/api/v1/nodes"),
        lambda: cluster.core.list_node(),
        lambda: cluster.custom.list_cluster_custom_object("argoproj.io", "v1alpha1", "x"),
    ]
    for call in calls:
        with pytest.raises(KubeError, match=f"{status} .*{message}.*{next_step}") as caught:
            call()
        assert caught.value.status == status
        assert caught.value.missing is (status == 404)


def test_a_busy_cluster_is_asked_once_more(cluster: Cluster, api: FakeKube) -> None:
    """503 and 429 are tried again a little later, a limited number of times."""
    api.refuses = (503, "busy")
    with pytest.raises(KubeError, match="503 busy"):
        cluster.list("/api/v1/nodes")
    assert len(api.requests) == 2


def test_a_cluster_that_is_not_there_is_an_error_of_its_own(seoul: Seoul) -> None:
    """Neither a missing cluster nor one without an endpoint leads to a call into the void."""
    with pytest.raises(KubeError, match="there is no such cluster"):
        connect(seoul(FakeEks(None, b"")), "peccy-tokyo")
    with pytest.raises(KubeError, match="it is CREATING, no endpoint"):
        connect(seoul(FakeEks(None, b"", "CREATING")), NAME)


def test_a_certificate_of_another_authority_is_refused(
    api: FakeKube, seoul: Seoul, tmp_path: Path
) -> None:
    """Only the CA that EKS names is trusted, and no token goes to anybody else."""
    other = ensure_ca(tmp_path / "other").ca_pem
    cluster = connect(seoul(FakeEks(api.endpoint, other)), NAME, QUICK)
    with pytest.raises(KubeError, match="certificate verify failed"):
        cluster.list("/api/v1/nodes")
    assert api.requests == []
