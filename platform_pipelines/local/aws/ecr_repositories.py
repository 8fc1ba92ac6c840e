"""ECR: repositories, their settings, policies and tags.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_Repository.html
"""

import json
import re

from platform_pipelines.local.aws.answers import moment
from platform_pipelines.local.aws.ecr_records import Repository
from platform_pipelines.local.aws.ecr_requests import (
    NO_REPOSITORY,
    Registry,
    invalid,
    paged,
    registry,
    unpaged,
)
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, operation

_TAGS = 50
_EXCLUDING = ("IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION")
_NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_NO_POLICY = "RepositoryPolicyNotFoundException"


def view(repository: Repository) -> Result:
    """A repository as DescribeRepositories has it."""
    host = f"{repository.account}.dkr.ecr.{repository.region}.amazonaws.com"
    excluded = {"imageTagMutabilityExclusionFilters": repository.exclusions}
    return (excluded if repository.exclusions else {}) | {
        "repositoryArn": repository.arn,
        "registryId": repository.account,
        "repositoryName": repository.name,
        "repositoryUri": f"{host}/{repository.name}",
        "createdAt": moment(repository.created),
        "imageTagMutability": repository.mutability,
        "imageScanningConfiguration": {"scanOnPush": repository.scan_on_push},
        "encryptionConfiguration": repository.encryption,
    }


class RepositoryOperations(Registry):
    """The operations of repositories."""

    @operation(
        raises=(
            *("InvalidParameterException", "RepositoryAlreadyExistsException"),
            "TooManyTagsException",
        )
    )
    def CreateRepository(self, call: Call) -> Result:  # noqa: N802
        params, name = call.params, call.params["repositoryName"]
        if registry(call) != call.account:
            invalid("A repository can only be created in the registry of the calling account")
        if not _NAME.fullmatch(name) or not 2 <= len(name) <= 256:
            invalid(f"Invalid parameter at 'repositoryName': {name!r}")
        if self.repositories.find(call.account, call.region, name):
            message = (
                f"The repository with name '{name}' already exists in the registry with id "
                f"'{call.account}'"
            )
            raise Fault("RepositoryAlreadyExistsException", message)
        made = Repository(
            account=call.account,
            region=call.region,
            name=name,
            created=self.world.now(),
            scan_on_push=params.get("imageScanningConfiguration", {}).get("scanOnPush", False),
            encryption=params.get("encryptionConfiguration", {"encryptionType": "AES256"}),
        )
        _set_mutability(made, params)
        _set_tags(made, params.get("tags", []))
        self.repositories.add(made)
        return {"repository": view(made)}

    @operation(raises=NO_REPOSITORY)
    def DescribeRepositories(self, call: Call) -> Result:  # noqa: N802
        if "repositoryNames" in call.params:
            unpaged(call.params, "repositoryNames")
            names = call.params["repositoryNames"]
            return {"repositories": [view(self.named(call, name)) for name in names]}
        part = paged(
            "repositories", self.repositories.names(registry(call), call.region), call.params
        )
        return part | {
            "repositories": [view(self.named(call, name)) for name in part["repositories"]]
        }

    @operation(raises=(*NO_REPOSITORY, "RepositoryNotEmptyException"))
    def DeleteRepository(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        if repository.images and not call.params.get("force", False):
            message = (
                f"The repository with name '{repository.name}' in registry with id "
                f"'{repository.account}' cannot be deleted because it still contains images"
            )
            raise Fault("RepositoryNotEmptyException", message)
        self.repositories.remove(repository)
        return {"repository": view(repository)}

    @operation(raises=NO_REPOSITORY)
    def PutImageTagMutability(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        _set_mutability(repository, call.params)
        shown = view(repository)
        keys = ("imageTagMutability", "imageTagMutabilityExclusionFilters")
        return _named(repository) | {key: shown[key] for key in keys if key in shown}

    @operation(raises=NO_REPOSITORY)
    def PutImageScanningConfiguration(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        wanted = call.params["imageScanningConfiguration"].get("scanOnPush", False)
        repository.scan_on_push = wanted
        return _named(repository) | {"imageScanningConfiguration": {"scanOnPush": wanted}}

    @operation(raises=NO_REPOSITORY)
    def SetRepositoryPolicy(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        text = call.params["policyText"]
        _check_policy(text)
        repository.policy = text
        return _named(repository) | {"policyText": text}

    @operation(raises=(*NO_REPOSITORY, _NO_POLICY))
    def GetRepositoryPolicy(self, call: Call) -> Result:  # noqa: N802
        repository = self.look(call)
        return _named(repository) | {"policyText": _policy(repository)}

    @operation(raises=(*NO_REPOSITORY, _NO_POLICY))
    def DeleteRepositoryPolicy(self, call: Call) -> Result:  # noqa: N802
        repository = self.open(call)
        text = _policy(repository)
        repository.policy = None
        return _named(repository) | {"policyText": text}

    @operation(raises=(*NO_REPOSITORY, "TooManyTagsException"))
    def TagResource(self, call: Call) -> Result:  # noqa: N802
        repository = self._of_arn(call, change=True)
        _set_tags(repository, [*repository.tags, *call.params["tags"]])
        return {}

    @operation(raises=NO_REPOSITORY)
    def UntagResource(self, call: Call) -> Result:  # noqa: N802
        repository = self._of_arn(call, change=True)
        keys = set(call.params["tagKeys"])
        repository.tags = [one for one in repository.tags if one["Key"] not in keys]
        return {}

    @operation(raises=NO_REPOSITORY)
    def ListTagsForResource(self, call: Call) -> Result:  # noqa: N802
        return {"tags": self._of_arn(call, change=False).tags}

    def _of_arn(self, call: Call, *, change: bool) -> Repository:
        prefix = f"arn:aws:ecr:{call.region}:{call.account}:repository/"
        arn = call.params["resourceArn"]
        if not arn.startswith(prefix):
            invalid(f"Invalid parameter at 'resourceArn': {arn!r} is not of this registry")
        found = self.named(call, arn.removeprefix(prefix))
        place = (found.account, found.region, found.name)
        return self.repositories.open(*place) if change else found


def _named(repository: Repository) -> Result:
    return {"registryId": repository.account, "repositoryName": repository.name}


def _set_mutability(repository: Repository, params: Params) -> None:
    wanted = params.get("imageTagMutability", "MUTABLE")
    filters = params.get("imageTagMutabilityExclusionFilters", [])
    if bool(filters) != (wanted in _EXCLUDING):
        invalid(f"imageTagMutabilityExclusionFilters go with {' or '.join(_EXCLUDING)} only")
    repository.mutability, repository.exclusions = wanted, filters


def _set_tags(repository: Repository, tags: list[dict[str, str]]) -> None:
    by_key = {one["Key"]: one["Value"] for one in tags}
    if len(by_key) > _TAGS:
        raise Fault("TooManyTagsException", f"A repository has at most {_TAGS} tags")
    repository.tags = [{"Key": key, "Value": value} for key, value in by_key.items()]


def _policy(repository: Repository) -> str:
    if repository.policy is None:
        message = (
            "Repository policy does not exist for the repository with name "
            f"'{repository.name}' in the registry with id '{repository.account}'"
        )
        raise Fault(_NO_POLICY, message)
    return repository.policy


def _check_policy(text: str) -> None:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict) or not document.get("Statement"):
        invalid("Invalid parameter at 'PolicyText' failed to satisfy constraint: a policy document")
