"""What all of ECR's operations share: the repository that a call names, pages, times, faults."""

from typing import Any, NoReturn

from platform_pipelines.local.aws import paging
from platform_pipelines.local.aws.ecr_records import Repositories, Repository
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service

PAGE = 100  # of what is listed, unless maxResults says more
MOST = 1000
_NAMES = ("nextToken", "maxResults")
NO_REPOSITORY = ("InvalidParameterException", "RepositoryNotFoundException")


class Registry(Service):
    """The base of ECR's groups of operations: the repositories of one world."""

    repositories: Repositories

    def start(self) -> None:
        super().start()
        self.repositories = self.world.repositories

    def look(self, call: Call) -> Repository:
        """The repository that a call names, to look at. Raises: Fault."""
        return self.named(call, call.params["repositoryName"])

    def open(self, call: Call) -> Repository:
        """The repository that a call names, to change. Raises: Fault."""
        found = self.look(call)
        return self.repositories.open(found.account, found.region, found.name)

    def named(self, call: Call, name: str) -> Repository:
        """A repository of the registry that a call is about. Raises: Fault."""
        found = self.repositories.find(registry(call), call.region, name)
        if found is None:
            message = (
                f"The repository with name '{name}' does not exist in the registry with id "
                f"'{registry(call)}'"
            )
            raise Fault("RepositoryNotFoundException", message)
        return found


def registry(call: Call) -> str:
    """The account whose registry is meant."""
    return str(call.params.get("registryId", call.account))


def paged(key: str, items: list[Any], params: Params) -> Result:
    """A page under `key`. Raises: Fault."""
    limit = params.get("maxResults", PAGE)
    if not 1 <= limit <= MOST:
        invalid(f"maxResults must be between 1 and {MOST}")
    wrong = Fault("InvalidParameterException", "The nextToken is not valid.")
    return paging.paged(key, items, params, wrong=wrong, limit=limit, names=_NAMES)


def unpaged(params: Params, key: str) -> None:
    """What is asked for by name has no pages. Raises: Fault."""
    if params.keys() & {"nextToken", "maxResults"}:
        invalid(f"nextToken and maxResults cannot be used together with {key}")
    if len(params[key]) > PAGE:
        invalid(f"At most {PAGE} {key} are allowed")


def invalid(message: str) -> NoReturn:
    """ECR's word for a request that makes no sense."""
    raise Fault("InvalidParameterException", message)
