"""Both Regions as provisioning takes them, and what it means that one of them does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.parsers import ResponseParserError

from platform_pipelines.aws.region import PROBE, AwsError, AwsRegion
from platform_pipelines.errors import Failed

# Nothing came back, or what came back is not AWS's language.
SILENCE = (NoConnection, HTTPClientError, ResponseParserError)


class Regions(Protocol):
    """Clients by alias; `Aws` is one."""

    def __getitem__(self, alias: str, /) -> AwsRegion: ...


@dataclass
class RegionUnreachable(Failed):
    """A Region does not answer, and no incident says that this is expected."""

    alias: str
    reason: str

    def __str__(self) -> str:
        return (
            f"{self.alias} does not answer ({self.reason}), and no settled incident explains it. "
            f"If the Region is down, let region_failover settle the incident; else run again."
        )


def unreachable(error: Exception) -> bool:
    """Whether nothing, or only a broken answer, came back."""
    if isinstance(error, ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    return isinstance(error, SILENCE)


@contextmanager
def reaching(region: AwsRegion) -> Iterator[None]:
    """Calls to one Region: that it does not answer is said by name. Raises: RegionUnreachable."""
    try:
        yield
    except AwsError as error:
        if unreachable(error):
            raise RegionUnreachable(region.alias, str(error)) from error
        raise


def answers(region: AwsRegion, stack_name: str) -> bool:
    """One quick call: whether the Region's CloudFormation is there at all."""
    quick = replace(region, timeouts=PROBE)
    try:
        quick.cloudformation.describe_stacks(StackName=stack_name)
    except AwsError as error:
        return not unreachable(error)
    return True
