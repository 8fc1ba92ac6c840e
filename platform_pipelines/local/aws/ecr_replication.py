"""ECR's replication: what is pushed is copied to other Regions a while later.

Configuration is the whole registry's and not retroactive. A copy makes the destination's repository
as AWS does (with its defaults), waits while either Region is dark, is not copied further, and arrives
untagged where an immutable tag is taken.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ecr_images, stores
from platform_pipelines.local.aws.service import Fault, Params, Result
from platform_pipelines.local.world import World

Record = dict[str, Any]

_COPY = "ecr_copy"
_LATER = 60.0  # seconds until the next try while a Region is dark
_COPIES = "_copies"  # in an image's record: destination Region -> status


class Replication:
    """The registries' configurations of one world, and the copies under way."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._configurations: dict[tuple[str, str], Params] = {}
        world.timers.on(_COPY, self._copy)

    def configure(self, account: str, region: str, configuration: Params) -> None:
        """Replace the configuration of a Region's registry. Raises: Fault."""
        for rule in configuration["rules"]:
            for one in rule["destinations"]:
                if one["region"] == region and one["registryId"] == account:
                    message = "A registry cannot be its own replication destination."
                    raise Fault("InvalidParameterException", message)
                if one["registryId"] != account:
                    message = f"Registry {one['registryId']} does not allow replication from here."
                    raise Fault("ValidationException", message)
        self._configurations[account, region] = configuration

    def configuration(self, account: str, region: str) -> Params:
        """The configuration of a Region's registry; it has no rules at first."""
        return self._configurations.get((account, region), {"rules": []})

    def pushed(self, account: str, region: str, image: Record, tag: str | None) -> None:
        """Have a pushed image copied to where the configuration of now says."""
        for destination in self._destinations(account, region, image["repositoryName"]):
            image.setdefault(_COPIES, {})[destination] = "IN_PROGRESS"
            self.world.timers.after(
                self.world.durations.ecr_copy,
                _COPY,
                account=account,
                region=region,
                repository=image["repositoryName"],
                digest=image["imageDigest"],
                tag=tag,
                destination=destination,
            )

    def statuses(self, image: Record) -> list[Result]:
        """The copies of an image, as DescribeImageReplicationStatus has them."""
        copies = image.get(_COPIES, {})
        return [
            {"region": region, "registryId": image["registryId"], "status": status}
            for region, status in sorted(copies.items())
        ]

    def _destinations(self, account: str, region: str, repository: str) -> list[str]:
        rules = self.configuration(account, region)["rules"]
        matching = [rule for rule in rules if _matches(rule, repository)]
        return sorted({one["region"] for rule in matching for one in rule["destinations"]})

    def _copy(
        self,
        account: str,
        region: str,
        repository: str,
        digest: str,
        tag: str | None,
        destination: str,
    ) -> None:
        with ministack.scope(account, region):
            found = _find(repository, digest)
            family = [_find(repository, child) for child in ecr_images.children(found or {})]
        if found is None:
            return
        if stores.dark(self.world, region) or stores.dark(self.world, destination):
            again = {"repository": repository, "digest": digest, "tag": tag}
            where = {"account": account, "region": region, "destination": destination}
            self.world.timers.after(_LATER, _COPY, **again, **where)
            return
        _copy_blobs(account, region, destination, repository)
        with ministack.scope(account, destination):
            for child in family:
                if child is not None:
                    self._receive(child, None)
            self._receive(found, tag)
        found[_COPIES][destination] = "COMPLETE"

    def _receive(self, image: Record, tag: str | None) -> None:
        """Put a copied image into the Region in scope."""
        name, module = image["repositoryName"], ministack.service("ecr")
        if name not in module._repositories:
            module._create_repository({"repositoryName": name})
        present = _find(name, image["imageDigest"])
        if tag is not None and _taken(name, tag, image["imageDigest"]):
            tag = None
        if present is not None and tag in (None, *present["imageTags"]):
            return
        params = {
            "repositoryName": name,
            "imageManifest": image["imageManifest"],
            "imageManifestMediaType": image["imageManifestMediaType"],
            "imageDigest": image["imageDigest"],
        }
        module._put_image(params | ({"imageTag": tag} if tag else {}))
        if present is None:
            ecr_images.images(name)[-1]["imagePushedAt"] = self.world.now()


def _matches(rule: Params, repository: str) -> bool:
    filters = rule.get("repositoryFilters") or []
    return not filters or any(repository.startswith(one["filter"]) for one in filters)


def _find(name: str, digest: str) -> Record | None:
    """An image of the Region in scope; None if it, or its repository, is not there."""
    stored: list[Record] = ministack.service("ecr")._images.get(name) or []
    return next((image for image in stored if image["imageDigest"] == digest), None)


def _taken(name: str, tag: str, digest: str) -> bool:
    """Whether an immutable tag belongs to another image already."""
    immutable = ecr_images.repository(name).get("imageTagMutability") == "IMMUTABLE"
    others = [image for image in ecr_images.images(name) if image["imageDigest"] != digest]
    return immutable and any(tag in image["imageTags"] for image in others)


def _copy_blobs(account: str, region: str, destination: str, repository: str) -> None:
    """What the registry's own protocol has pushed: layers and raw manifests."""
    module = ministack.service("ecr")
    for store in (module._layer_blobs, module._manifest_blobs):
        blobs = store.get_scoped(account, region, repository, {})
        present = store.get_scoped(account, destination, repository, {})
        store.set_scoped(account, destination, repository, present | blobs)
