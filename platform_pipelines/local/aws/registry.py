"""The AWS services of the local Regions: those that we answer ourselves, over ministack's.

The AWS APIs ask for whoever answers a service. Parts of the local Regions that need to know what AWS
would say (the stand-in behind the load balancers) use `ask`.
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.acm import Acm
from platform_pipelines.local.aws.chatbot import Chatbot
from platform_pipelines.local.aws.cloudformation import CloudFormation
from platform_pipelines.local.aws.cloudwatch import CloudWatch
from platform_pipelines.local.aws.codebuild import CodeBuild
from platform_pipelines.local.aws.codeconnections import CodeConnections
from platform_pipelines.local.aws.codepipeline import CodePipeline
from platform_pipelines.local.aws.codestar_notifications import CodeStarNotifications
from platform_pipelines.local.aws.dynamodb import DynamoDb
from platform_pipelines.local.aws.ec2 import Ec2
from platform_pipelines.local.aws.ecr import Ecr
from platform_pipelines.local.aws.efs import Efs
from platform_pipelines.local.aws.eks import Eks
from platform_pipelines.local.aws.fis import Fis
from platform_pipelines.local.aws.iam import Iam
from platform_pipelines.local.aws.kms import Kms
from platform_pipelines.local.aws.logs import Logs
from platform_pipelines.local.aws.passed import PASSED
from platform_pipelines.local.aws.rds import Rds
from platform_pipelines.local.aws.route53 import Route53
from platform_pipelines.local.aws.s3 import S3
from platform_pipelines.local.aws.secrets_manager import SecretsManager
from platform_pipelines.local.aws.service import Call, Result, Service, not_implemented
from platform_pipelines.local.aws.service_quotas import ServiceQuotas
from platform_pipelines.local.aws.sns import Sns
from platform_pipelines.local.ministack_state import MinistackState
from platform_pipelines.local.vault import Value
from platform_pipelines.local.world import World

OURS: tuple[type[Service], ...] = (
    *(CloudFormation, CloudWatch, DynamoDb, Ec2, Ecr, Efs, Eks, Iam, Kms, Rds, Route53),
    *(Acm, Logs, S3, SecretsManager, ServiceQuotas, Sns),
    *(Chatbot, CodeBuild, CodeConnections, CodePipeline, CodeStarNotifications, Fis),
)


class Registry:
    """The services of one world. Used from the event loop's thread only."""

    def __init__(self, world: World) -> None:
        self._world = world
        ministack.use_clock(world.now)
        world.vault.add("ministack", MinistackState())
        self._services = {one.name: one(world) for one in OURS}
        self._operations = {one.name: one.operations() for one in OURS}
        for service in self._services.values():
            service.bind(self.answer)
            world.vault.add(f"aws/{service.name}", Value(service.dump, service.load))

    @property
    def route53(self) -> Route53:
        """The one that the DNS server answers from."""
        service = self._services[Route53.name]
        assert isinstance(service, Route53)
        return service

    def is_ours(self, service: str, operation: str) -> bool:
        """Whether one of our services answers this operation itself."""
        return operation in self._operations.get(service, ())

    def passes(self, service: str, operation: str) -> bool:
        """Whether ministack may answer this operation."""
        ours = self._services.get(service)
        passed = ours.passes if ours else PASSED.get(service, frozenset())
        return operation in passed

    def answer(self, call: Call) -> Result:
        """What AWS answers, whether the Region is dark or not. Raises: Fault."""
        with ministack.scope(call.account, call.region):
            if self.is_ours(call.service, call.operation):
                return self._services[call.service].answer(call)
            if self.passes(call.service, call.operation):
                return stores.ask(call)
        raise not_implemented(f"{call.service} {call.operation}")

    def ask(self, service: str, operation: str, region: str, **params: Any) -> Result:
        """What AWS answers the platform's account in a Region (an AWS name). Raises: Fault."""
        return self.answer(
            Call(
                service=service,
                operation=operation,
                params=params,
                region=region,
                account=self._world.platform.account,
                request_id="local",
            )
        )
