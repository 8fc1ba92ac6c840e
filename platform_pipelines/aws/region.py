"""AWS clients bound to one Region as a value, so that no call can go to a Region by accident.

`Aws` is made once per run and hands out an `AwsRegion` per Region. Each client's endpoint is
asserted when it is made: target `local` is loopback only, target `aws` is the Region's own
endpoint only. A dark Region hangs, so connecting takes 2 s at most, reading 5 s (real seconds).
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from platform_pipelines.aws.settings import LOOPBACK, Settings, Target
from platform_pipelines.errors import Failed, Refused
from platform_pipelines.model import Platform, Region

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_codepipeline import CodePipelineClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_efs import EFSClient
    from mypy_boto3_eks import EKSClient
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

ClientName = Literal[
    "cloudformation",
    "cloudwatch",
    "codepipeline",
    "dynamodb",
    "ecr",
    "efs",
    "eks",
    "rds",
    "route53",
    "s3",
    "sts",
]

# Route 53 belongs to no Region: a client of it always speaks to us-east-1.
GLOBAL_REGION = "us-east-1"
GLOBAL_CLIENTS = ("route53",)

# What a call can raise when AWS refuses, breaks or does not answer.
AwsError = (BotoCoreError, ClientError, ResponseParserError)


FORBIDDEN = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one call may take, in real seconds, and how often it is tried."""

    connect: float = 2.0
    read: float = 5.0
    attempts: int = 3


PROBE = Timeouts(connect=1.5, read=1.5, attempts=1)


@dataclass
class WrongEndpoint(Refused):
    """A client would speak to an address that the target does not allow."""

    service: str
    endpoint: str
    target: Target

    def __str__(self) -> str:
        allowed = "loopback" if self.target is Target.LOCAL else "the Region's own endpoint"
        return (
            f"The {self.service} client would call {self.endpoint}; target {self.target} allows "
            f"{allowed} only. Remove endpoint settings from the environment and ~/.aws/config."
        )


@dataclass
class WrongAccount(Refused):
    """The credentials belong to another account than `platform.yaml` names."""

    found: str
    expected: str

    def __str__(self) -> str:
        return (
            f"The credentials are of account {self.found}; platform.yaml says {self.expected}. "
            f"Use credentials of {self.expected}, or correct `account`."
        )


@dataclass
class Unreachable(Failed):
    """No endpoint of AWS, or of the local Regions, answered."""

    where: str
    reason: str
    target: Target

    def __str__(self) -> str:
        hint = (
            "Start the local Regions with `make dev` or set PLATFORM_LOCAL_URL."
            if self.target is Target.LOCAL
            else "Check the network and the credentials of this controller."
        )
        return f"{self.where} does not answer: {self.reason}. {hint}"


class _Calls(threading.local):
    """What this thread's last answered call was known as."""

    request_id: str | None = None


_calls = _Calls()


def forget_request_id() -> None:
    """Forget the last call, before one whose request id matters."""
    _calls.request_id = None


def last_request_id() -> str | None:
    """The request id of this thread's last answered call: what AWS support asks for."""
    return _calls.request_id


def _remember(parsed: dict[str, Any], **_: object) -> None:
    _calls.request_id = parsed.get("ResponseMetadata", {}).get("RequestId")


def refused(error: Exception) -> bool:
    """Whether AWS answered, with a refusal: not silence, and not a failure of its own."""
    if not isinstance(error, ClientError):
        return False
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)) < 500


def forbidden(error: Exception) -> bool:
    """Whether we may not do this at all: trying again is of no use."""
    return error_code(error) in FORBIDDEN


def error_code(error: Exception) -> str:
    """The AWS error code of a `ClientError`; the class's name of anything else."""
    if isinstance(error, ClientError):
        return str(error.response.get("Error", {}).get("Code", "Unknown"))
    return type(error).__name__


@dataclass(frozen=True, kw_only=True)
class AwsRegion:
    """The clients of one Region, made when they are first used; making one is guarded by a lock,
    because boto3 sessions are not thread-safe."""

    region: Region
    settings: Settings
    timeouts: Timeouts = field(default_factory=Timeouts)
    session: boto3.Session = field(repr=False)
    lock: threading.Lock = field(repr=False, compare=False)

    @property
    def alias(self) -> str:
        return self.region.alias

    @property
    def name(self) -> str:
        return self.region.name

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        return cast("CloudFormationClient", self._client("cloudformation"))

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        return cast("CloudWatchClient", self._client("cloudwatch"))

    @cached_property
    def codepipeline(self) -> "CodePipelineClient":
        return cast("CodePipelineClient", self._client("codepipeline"))

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        return cast("DynamoDBClient", self._client("dynamodb"))

    @cached_property
    def ecr(self) -> "ECRClient":
        return cast("ECRClient", self._client("ecr"))

    @cached_property
    def efs(self) -> "EFSClient":
        return cast("EFSClient", self._client("efs"))

    @cached_property
    def eks(self) -> "EKSClient":
        return cast("EKSClient", self._client("eks"))

    @cached_property
    def rds(self) -> "RDSClient":
        return cast("RDSClient", self._client("rds"))

    @cached_property
    def route53(self) -> "Route53Client":
        return cast("Route53Client", self._client("route53"))

    @cached_property
    def s3(self) -> "S3Client":
        return cast("S3Client", self._client("s3"))

    @cached_property
    def sts(self) -> "STSClient":
        return cast("STSClient", self._client("sts"))

    def verify_account(self, expected: str) -> None:
        """Ask this Region's STS who we are. Raises: WrongAccount, Unreachable."""
        try:
            found = self.sts.get_caller_identity()["Account"]
        except AwsError as error:
            where = f"STS in {self.alias}"
            raise Unreachable(where, str(error), self.settings.target) from error
        if found != expected:
            raise WrongAccount(found, expected)

    def _client(self, service: ClientName) -> Any:
        local = self.settings.target is Target.LOCAL
        config = Config(
            connect_timeout=self.timeouts.connect,
            read_timeout=self.timeouts.read,
            retries={"mode": "standard", "total_max_attempts": self.timeouts.attempts},
            max_pool_connections=32,
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # unknown to the stubs
            s3={"addressing_style": "path"} if local else None,
            user_agent_extra=self.settings.user_agent,
        )
        with self.lock:
            client = self.session.client(
                service,
                region_name=GLOBAL_REGION if service in GLOBAL_CLIENTS else self.name,
                endpoint_url=self.settings.local_url if local else None,
                config=config,
            )
        self._assert_endpoint(service, client.meta.endpoint_url)
        client.meta.events.register("after-call", _remember)
        return client

    def _assert_endpoint(self, service: ClientName, endpoint: str) -> None:
        host = urlsplit(endpoint).hostname or ""
        if self.settings.target is Target.LOCAL:
            right = host in LOOPBACK
        elif service in GLOBAL_CLIENTS:
            right = host == f"{service}.amazonaws.com"
        else:
            right = host.endswith(f".{self.name}.amazonaws.com")
        if not right:
            raise WrongEndpoint(service, endpoint, self.settings.target)


class Aws:
    """Both Regions of a platform, as one run sees them."""

    def __init__(
        self, platform: Platform, settings: Settings, timeouts: Timeouts | None = None
    ) -> None:
        self.platform = platform
        self.settings = settings
        self._lock = threading.Lock()
        self._patient: dict[Timeouts, Aws] = {}
        key = settings.access_key
        session = boto3.Session(
            aws_access_key_id=key, aws_secret_access_key="local" if key else None
        )
        lock = threading.Lock()
        self._regions = {
            region.alias: AwsRegion(
                region=region,
                settings=settings,
                timeouts=timeouts or Timeouts(),
                session=session,
                lock=lock,
            )
            for region in platform.regions
        }

    def __getitem__(self, alias: str) -> AwsRegion:
        """The Region of this alias. Raises: UnknownRegion."""
        return self._regions[self.platform.region(alias).alias]

    def __iter__(self) -> Iterator[AwsRegion]:
        return iter(self._regions.values())

    def patient(self, timeouts: Timeouts) -> "Aws":
        """The same Regions with other time limits. Made once for each: clients are costly."""
        with self._lock:
            if timeouts not in self._patient:
                self._patient[timeouts] = Aws(self.platform, self.settings, timeouts)
            return self._patient[timeouts]

    def other(self, alias: str) -> AwsRegion:
        """The Region that is not `alias`."""
        return self._regions[self.platform.other(alias).alias]

    def verify_account(self) -> None:
        """Ask both Regional STS endpoints at once who we are; one answer is enough, so that a dark
        Region costs a probe's patience and no more. Raises: WrongAccount, Unreachable."""
        regions = list(self.patient(PROBE))
        silent = self.settings.clock.gather([_silent(one, self.platform) for one in regions])
        if all(silent):
            local = self.settings.target is Target.LOCAL
            where = self.settings.local_url if local else "AWS STS"
            raise Unreachable(where, "; ".join(silent), self.settings.target)


def _silent(region: AwsRegion, platform: Platform) -> Callable[[], str]:
    """Why a Region did not say whose credentials these are; empty if it did, and they are right."""

    def ask() -> str:
        try:
            region.verify_account(platform.account)
        except Unreachable as error:
            return f"{region.alias}: {error.reason}"
        return ""

    return ask
