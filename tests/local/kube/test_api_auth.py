"""Tokens that a cluster takes, and all those that it does not."""

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.signers import RequestSigner

from platform_pipelines.local.kube.auth import Authenticator

SEOUL = "ap-northeast-2"
REGIONAL = f"https://sts.{SEOUL}.amazonaws.com"
LOCAL = "http://127.0.0.1:4566"


def cluster(**changes: object) -> Authenticator:
    """The Authenticator of peccy-seoul."""
    settings: dict[str, object] = {
        "token": "static",
        "cluster": "peccy-seoul",
        "region": SEOUL,
        "hosts": frozenset({"127.0.0.1:4566"}),
    }
    return Authenticator(**{**settings, **changes})  # type: ignore[arg-type]


def presigned(
    *,
    name: str = "peccy-seoul",
    region: str = SEOUL,
    endpoint: str = LOCAL,
    action: str = "GetCallerIdentity",
    secret: str = "local",  # known to all
    expires: int = 60,
) -> str:
    """A presigned URL as `aws eks get-token` makes it."""
    sts = boto3.client(
        "sts",
        region_name=region,
        endpoint_url=endpoint,
        aws_access_key_id="111122223333",
        aws_secret_access_key=secret,
    )
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        region,
        "sts",
        "v4",
        Credentials("111122223333", secret),
        sts.meta.events,
    )
    url: str = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{endpoint}/?Action={action}&Version=2011-06-15",
            "body": {},
            "headers": {"x-k8s-aws-id": name},
            "context": {},
        },
        operation_name="",
        expires_in=expires,
    )
    return url


def bearer(url: str) -> str:
    """The Authorization header of a presigned URL."""
    return "Bearer k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def later(minutes: float) -> Callable[[], datetime]:
    """A clock that is ahead."""
    return lambda: datetime.now(UTC) + timedelta(minutes=minutes)


@pytest.mark.parametrize("endpoint", [LOCAL, REGIONAL])
def test_a_token_of_eks_is_somebodys(endpoint: str) -> None:
    """Made for the local endpoint or for the Region's own."""
    user = cluster().user(bearer(presigned(endpoint=endpoint)))
    assert user == "arn:aws:iam::111122223333:root"


def test_the_kubeconfigs_token_is_the_administrators() -> None:
    """And no other plain token is anybody's."""
    assert cluster().user("Bearer static") == "kubernetes-admin"
    assert cluster().user("bearer static") == "kubernetes-admin"
    assert cluster().user("Bearer statik") is None


@pytest.mark.parametrize(
    "header", ["", "static", "Basic c3RhdGlj", "Bearer ", "Bearer k8s-aws-v1."]
)
def test_what_is_no_bearer_token_is_nobodys(header: str) -> None:
    """However it looks."""
    assert cluster().user(header) is None


WRONG: dict[str, Callable[[], str]] = {
    "another cluster": lambda: presigned(name="peccy-tokyo"),
    "another Region": lambda: presigned(region="ap-northeast-1"),
    "another host": lambda: presigned(endpoint="https://sts.evil.example"),
    "another action": lambda: presigned(action="AssumeRole"),
    "another secret": lambda: presigned(secret="another"),  # nobody's
    "too long a life": lambda: presigned(expires=3600),
    "a parameter too many": lambda: presigned() + "&Extra=1",
    "a parameter twice": lambda: presigned() + "&Action=GetCallerIdentity",
    "a path": lambda: presigned().replace("/?", "/path?"),
    "a broken signature": lambda: presigned()[:-4] + "xxxx",
    "no date": lambda: re.sub(r"X-Amz-Date=\w+&", "", presigned()),
    "no query": lambda: "https://",
}


@pytest.mark.parametrize("url", WRONG.values(), ids=WRONG)
def test_a_url_that_is_not_quite_right_is_nobodys(url: Callable[[], str]) -> None:
    """Each of these the real authenticator refuses too."""
    assert cluster().user(bearer(url())) is None


def test_a_padded_token_is_refused() -> None:
    """EKS takes none with `=`."""
    text = base64.urlsafe_b64encode(presigned().encode() + b" ").decode()
    padded = text if text.endswith("=") else text + "="
    assert cluster().user(f"Bearer k8s-aws-v1.{padded}") is None


@pytest.mark.parametrize(("minutes", "taken"), [(14, True), (16, False), (-4, True), (-6, False)])
def test_a_token_lives_15_minutes(minutes: float, taken: bool) -> None:
    """In real time, whatever its own Expires says; a clock may be a little off."""
    user = cluster(now=later(minutes)).user(bearer(presigned()))
    assert (user is not None) is taken
