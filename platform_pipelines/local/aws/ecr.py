"""ECR: repositories, layers, images, replication and lifecycle policies, all our own.

Each group of operations is a module of its own; this one puts them together. Left out are scans and
their findings, pull-through caches, signing, registry policies and creation templates, and the
registry's own protocol (`docker push`): clients push through the API, as `local/images.py` does.
https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Operations.html
"""

from base64 import b64encode

from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.ecr_layers import Layers
from platform_pipelines.local.aws.ecr_lifecycle import Lifecycle
from platform_pipelines.local.aws.ecr_repositories import RepositoryOperations
from platform_pipelines.local.aws.service import Call, Result, operation

_TOKEN_FOR = 12 * 3600.0  # seconds


class Ecr(Lifecycle, Layers, RepositoryOperations):
    """ECR of one world."""

    name = "ecr"

    @operation
    def GetAuthorizationToken(self, call: Call) -> Result:  # noqa: N802
        """For each registry that is asked for; by default the caller's."""
        return {
            "authorizationData": [
                {
                    "authorizationToken": b64encode(f"AWS:local-{account}".encode()).decode(),
                    "expiresAt": moment(self.world.now() + _TOKEN_FOR),
                    "proxyEndpoint": f"https://{account}.dkr.ecr.{call.region}.amazonaws.com",
                }
                for account in call.params.get("registryIds", [call.account])
            ]
        }
