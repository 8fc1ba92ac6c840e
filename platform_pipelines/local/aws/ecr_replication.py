"""ECR's replication: what is pushed is copied to other Regions a while later.

Configuration is the whole registry's and not retroactive. A copy makes the destination's repository
as AWS does (with its defaults), waits while the Regions are apart, is not copied further, and arrives
untagged where an immutable tag is taken.
https://docs.aws.amazon.com/AmazonECR/latest/userguide/replication.html
"""

import functools
from typing import Any

import botocore.session

from platform_pipelines.local.aws import ecr_tags, stores
from platform_pipelines.local.aws.ecr_records import Image, Repository
from platform_pipelines.local.aws.ecr_requests import Registry, invalid
from platform_pipelines.local.aws.service import Call, Params, Result, operation

_COPY = "ecr_copy"
_LATER = 60.0  # seconds until the next try while the Regions are apart
_DESTINATIONS = 25  # in all rules together
_FILTERS = 100  # of a rule
_FAILED = {"status": "FAILED", "failureCode": "ServerException"}
_DENIED = {"status": "FAILED", "failureCode": "AccessDenied"}


class Replication(Registry):
    """The registries' configurations of one world, and the copies under way."""

    def start(self) -> None:
        super().start()
        self._configurations: dict[str, Params] = {}  # by account/Region
        self.world.timers.on(_COPY, self._copy)

    def dump(self) -> Any:
        return {"replication": self._configurations}

    def load(self, state: Any) -> None:
        self._configurations = dict(state["replication"])

    @operation(raises=("InvalidParameterException",))
    def PutReplicationConfiguration(self, call: Call) -> Result:  # noqa: N802
        """In place of the one before. Another account's registry is taken, but refuses the copies."""
        configuration = call.params["replicationConfiguration"]
        _check(call, configuration["rules"])
        self._configurations[f"{call.account}/{call.region}"] = configuration
        return {"replicationConfiguration": configuration}

    @operation
    def DescribeRegistry(self, call: Call) -> Result:  # noqa: N802
        configuration = self._configuration(call.account, call.region)
        return {"registryId": call.account, "replicationConfiguration": configuration}

    def pushed(self, repository: Repository, image: Image, tag: str | None) -> None:
        """Have a pushed image copied to where the configuration of now says."""
        for region, account in self._destinations(repository):
            if account != repository.account:
                image.copies[f"{region}/{account}"] = dict(_DENIED)
                continue
            image.copies[f"{region}/{account}"] = {"status": "IN_PROGRESS"}
            self.world.transition(
                "ecr_copy",
                _COPY,
                region=region,
                resource=repository.name,
                place=[repository.account, repository.region, repository.name],
                digest=image.digest,
                tag=tag,
                destination=region,
            )

    def _configuration(self, account: str, region: str) -> Params:
        """The configuration of a Region's registry; it has no rules at first."""
        return self._configurations.get(f"{account}/{region}", {"rules": []})

    def _destinations(self, repository: Repository) -> list[tuple[str, str]]:
        rules = self._configuration(repository.account, repository.region)["rules"]
        matching = [rule for rule in rules if _matches(rule, repository.name)]
        named = {
            (one["region"], one["registryId"]) for rule in matching for one in rule["destinations"]
        }
        return sorted(named)

    def _copy(
        self, place: list[str], digest: str, tag: str | None, destination: str, failed: bool = False
    ) -> None:
        account, region, name = place
        source = self.repositories.find(account, region, name)
        image = source.image(digest) if source else None
        if source is None or image is None:
            return
        if not failed and stores.apart(self.world, region, destination):
            about = {"place": place, "digest": digest, "tag": tag, "destination": destination}
            self.world.timers.after(_LATER, _COPY, **about)
            return
        self.repositories.open(account, region, name)
        if failed:
            image.copies[f"{destination}/{account}"] = dict(_FAILED)
            return
        target = self._target(account, destination, name)
        for child in map(source.image, image.children):
            if child is not None:
                self._receive(target, child, None)
        self._receive(target, image, tag)
        image.copies[f"{destination}/{account}"] = {"status": "COMPLETE"}

    def _target(self, account: str, region: str, name: str) -> Repository:
        """The destination's repository, to change; replication makes it."""
        if self.repositories.find(account, region, name) is None:
            made = Repository(account=account, region=region, name=name, created=self.world.now())
            self.repositories.add(made)
        return self.repositories.open(account, region, name)

    def _receive(self, target: Repository, image: Image, tag: str | None) -> None:
        present = target.image(image.digest)
        if present is None:
            target.layers |= image.blobs
            present = Image(
                digest=image.digest,
                media_type=image.media_type,
                manifest=image.manifest,
                pushed=self.world.now(),
            )
            target.images.append(present)
        holder = target.tagged(tag) if tag else None
        if tag and (holder in (None, present) or not ecr_tags.immutable(target, tag)):
            ecr_tags.give(target, present, tag)


def _check(call: Call, rules: list[Params]) -> None:
    """What a configuration may not say. Raises: Fault."""
    named = [(one["region"], one["registryId"]) for rule in rules for one in rule["destinations"]]
    if (call.region, call.account) in named:
        invalid("A registry cannot be its own replication destination.")
    unknown = sorted({region for region, _ in named} - _regions())
    if unknown:
        invalid(f"The destination region {unknown[0]} is not a Region of Amazon ECR.")
    if len(set(named)) > _DESTINATIONS:
        invalid(f"At most {_DESTINATIONS} unique destinations are allowed.")
    if any(len(rule.get("repositoryFilters", [])) > _FILTERS for rule in rules):
        invalid(f"At most {_FILTERS} filters are allowed in a rule.")


@functools.cache
def _regions() -> frozenset[str]:
    """Where there is an Amazon ECR, as botocore knows."""
    return frozenset(botocore.session.get_session().get_available_regions("ecr"))


def _matches(rule: Params, repository: str) -> bool:
    filters = rule.get("repositoryFilters") or []
    return not filters or any(repository.startswith(one["filter"]) for one in filters)
