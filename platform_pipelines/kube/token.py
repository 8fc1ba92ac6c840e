"""EKS's bearer token: a presigned call to STS, which only STS can turn into an identity.

Presigned for the Regional endpoint of the cluster's own Region, so that no other Region is needed.
Tokens age in real seconds. https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
"""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from botocore.exceptions import NoCredentialsError
from botocore.signers import RequestSigner

from platform_pipelines.aws.region import AwsRegion

CLUSTER_HEADER = "x-k8s-aws-id"
TOKEN_PREFIX = "k8s-aws-v1."
TOKEN_EXPIRES = 60  # seconds in the URL; EKS takes the token for 15 minutes all the same
TOKEN_KEPT = 12 * 60.0  # real seconds until we make a new one


def token(region: AwsRegion, cluster_name: str) -> str:
    """A bearer token of EKS: a presigned GetCallerIdentity that only STS can turn into an identity.

    Raises: NoCredentialsError, and whatever their provider raises.
    """
    sts = region.sts
    credentials = region.session.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    signer = RequestSigner(
        sts.meta.service_model.service_id,
        region.name,
        "sts",
        "v4",
        credentials,
        sts.meta.events,
    )
    url = signer.generate_presigned_url(
        {
            "method": "GET",
            "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
            "body": {},
            "headers": {CLUSTER_HEADER: cluster_name},
            "context": {},
        },
        operation_name="",
        expires_in=TOKEN_EXPIRES,
    )
    return TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


@dataclass
class Bearer:
    """A token that is made anew before EKS stops taking it."""

    make: Callable[[], str]
    monotonic: Callable[[], float] = time.monotonic  # tokens age in real seconds
    _made: tuple[float, str] | None = field(default=None, repr=False)

    def __call__(self) -> str:
        now = self.monotonic()
        if self._made is None or now - self._made[0] >= TOKEN_KEPT:
            self._made = (now, self.make())
        return self._made[1]
