"""Who may speak to a local cluster: the kubeconfig's token, and tokens as EKS takes them.

An EKS token is a presigned call of STS GetCallerIdentity with a signed header that names the
cluster. The real cluster hands it to STS; here the signature is verified with the local Regions' one
secret, which proves the same: cluster, Region, age. Ages are in real time.
https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
"""

import base64
import binascii
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit

from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TOKEN_PREFIX = "k8s-aws-v1."  # the form of every EKS token
CLUSTER_HEADER = "x-k8s-aws-id"
MAX_AGE = timedelta(minutes=15)
MAX_SKEW = timedelta(minutes=5)  # a clock that is ahead of ours

_SCHEME = "bearer "
_LONGEST = 4096
_PARAMETERS = frozenset(
    {
        "Action",
        "Version",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
    }
)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticator:
    """The tokens that one cluster takes."""

    token: str  # of the kubeconfig
    cluster: str  # the name that an EKS token is made for
    region: str  # AWS name of the Region whose STS signs
    hosts: frozenset[str] = frozenset()  # more STS endpoints, as 127.0.0.1:4566
    secret: str = "local"  # the local Regions' secret access key, known to all
    now: Callable[[], datetime] = field(default=_now)  # real time

    def user(self, authorization: str) -> str | None:
        """Who sends this Authorization header; None if nobody whom the cluster knows."""
        if not authorization.lower().startswith(_SCHEME):
            return None
        token = authorization[len(_SCHEME) :].strip()
        if hmac.compare_digest(token.encode(), self.token.encode()):
            return "kubernetes-admin"
        return self._aws_user(token) if token.startswith(TOKEN_PREFIX) else None

    def _aws_user(self, token: str) -> str | None:
        url = _decoded(token)
        if url is None:
            return None
        parts = urlsplit(url)
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        query = dict(pairs)
        if len(query) != len(pairs) or not self._well_formed(parts, query):
            return None
        if not self._young(query) or not self._signed(parts, query):
            return None
        return f"arn:aws:iam::{query['X-Amz-Credential'].partition('/')[0]}:root"

    def _well_formed(self, parts: SplitResult, query: dict[str, str]) -> bool:
        known = self.hosts | {f"sts.{self.region}.amazonaws.com"}
        scope = query.get("X-Amz-Credential", "").split("/")
        signed = query.get("X-Amz-SignedHeaders", "").split(";")
        return (
            parts.netloc in known
            and parts.path in ("", "/")
            and query.keys() <= _PARAMETERS
            and query.get("Action") == "GetCallerIdentity"
            and query.get("X-Amz-Algorithm") == "AWS4-HMAC-SHA256"
            and len(scope) == 5
            and scope[2:] == [self.region, "sts", "aws4_request"]
            and {"host", CLUSTER_HEADER} <= set(signed)
        )

    def _young(self, query: dict[str, str]) -> bool:
        """EKS takes a token for 15 minutes, whatever its Expires says; that must be sound, though."""
        expires = query.get("X-Amz-Expires", "")
        try:
            made = datetime.strptime(f"{query.get('X-Amz-Date', '')}+0000", "%Y%m%dT%H%M%SZ%z")
        except ValueError:
            return False
        age = self.now() - made
        sound = expires.isdigit() and 0 < int(expires) <= MAX_AGE.total_seconds()
        return sound and -MAX_SKEW <= age <= MAX_AGE

    def _signed(self, parts: SplitResult, query: dict[str, str]) -> bool:
        """Whether the signature is the secret's, over this cluster's name."""
        request = AWSRequest(
            method="GET",
            url=f"{parts.scheme}://{parts.netloc}{parts.path or '/'}",
            params={key: value for key, value in query.items() if key != "X-Amz-Signature"},
            headers={CLUSTER_HEADER: self.cluster},
        )
        request.context["timestamp"] = query["X-Amz-Date"]
        credentials = Credentials(query["X-Amz-Credential"].partition("/")[0], self.secret)
        signer = SigV4QueryAuth(credentials, "sts", self.region)
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        return hmac.compare_digest(signature, query.get("X-Amz-Signature", ""))


def _decoded(token: str) -> str | None:
    """The URL inside a token."""
    text = token.removeprefix(TOKEN_PREFIX)
    if len(text) > _LONGEST or "=" in text:
        return None
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
