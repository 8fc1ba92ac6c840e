"""Both local Regions without a server: calls, time that is moved by hand, and outages."""

from typing import Any

import botocore.session
from botocore.validate import ParamValidator

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.cloudwatch import CloudWatch
from platform_pipelines.local.aws.dynamodb import DynamoDb
from platform_pipelines.local.aws.ecr import Ecr
from platform_pipelines.local.aws.efs import Efs
from platform_pipelines.local.aws.eks import Eks
from platform_pipelines.local.aws.rds import Rds
from platform_pipelines.local.aws.route53 import Route53
from platform_pipelines.local.aws.service import Call, Service
from platform_pipelines.local.aws.service_quotas import ServiceQuotas
from platform_pipelines.local.aws.sns import Sns
from platform_pipelines.local.world import Outage, World
from platform_pipelines.local.worldclock import Standing
from tests.local.aws import passing

START = 1_800_000_000.0
OURS: tuple[type[Service], ...] = (
    *(Efs, Rds, CloudWatch, Eks, Ecr, DynamoDb),
    *(Route53, ServiceQuotas, Sns),
)


class HandClock(Standing):
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        super().__init__(START)


class Regions:
    """The services of a world, called as if by boto3; every answer is checked by botocore's model."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.services = {one.name: one(world) for one in OURS}
        self._models = botocore.session.get_session()

    def __call__(self, alias: str, service: str, operation: str, **params: Any) -> dict[str, Any]:
        """One call in a Region. Raises: Fault."""
        call = Call(
            service=service,
            operation=operation,
            params=params,
            region=self.name(alias),
            account=self.world.platform.account,
            request_id="test",
        )
        ours = self.services[service]
        assert operation in ours.operations() | ours.passes, f"{service} has no {operation} here"
        with ministack.scope(call.account, call.region):
            own = operation in ours.operations()
            result = ours.answer(call) if own else stores.ask(call)
        self._check(service, operation, result)
        return result

    def name(self, alias: str) -> str:
        """The AWS name of a Region."""
        return self.world.platform.region(alias).name

    def advance(self, seconds: float) -> None:
        """Let time pass and run what is due on the way, each at its own time."""
        passing.let_pass(self.world, seconds)

    def black_out(self, alias: str) -> None:
        """Make a Region dark."""
        self.world.outages[alias] = Outage.HANG

    def restore(self, alias: str) -> None:
        """Bring a Region back."""
        del self.world.outages[alias]

    def _check(self, service: str, operation: str, result: dict[str, Any]) -> None:
        shape = self._models.get_service_model(service).operation_model(operation).output_shape
        if shape is None:
            assert result == {}
            return
        report = ParamValidator().validate(result, shape)
        assert not report.has_errors(), report.generate_report()
