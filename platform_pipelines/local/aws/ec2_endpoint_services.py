"""The services of AWS that a VPC endpoint can be made for, and the private names that it answers to.

https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html
"""

GATEWAYS = frozenset({"dynamodb", "s3"})
_INTERFACES = frozenset(
    {
        *("access-analyzer", "application-autoscaling", "aps", "aps-workspaces", "athena"),
        *("autoscaling", "backup", "cloudformation", "cloudtrail", "codeartifact.api"),
        *("codeartifact.repositories", "codebuild", "codecommit", "codeconnections.api"),
        *("codedeploy", "codepipeline", "codestar-connections.api", "config", "dynamodb", "ebs"),
        *("ec2", "ec2messages", "ecr.api", "ecr.dkr", "ecs", "ecs-agent", "ecs-telemetry", "eks"),
        *("eks-auth", "elasticfilesystem", "elasticloadbalancing", "events", "execute-api"),
        *("fis", "git-codecommit", "glue", "guardduty-data", "inspector2", "kinesis-firehose"),
        *("kinesis-streams", "kms", "lambda", "logs", "monitoring", "notebook", "rds", "rds-data"),
        *("route53-recovery-control-config", "s3", "secretsmanager", "securityhub"),
        *("servicediscovery", "servicequotas", "sns", "sqs", "ssm", "ssm-contacts"),
        *("ssm-incidents", "ssmmessages", "states", "sts", "synthetics", "tagging", "xray"),
    }
)
# Where the private name does not begin with the service's own.
_PRIVATE = {
    "aps": "aps",
    "aps-workspaces": "aps-workspaces",
    "codeartifact.api": "codeartifact",
    "codeartifact.repositories": "*.d.codeartifact",
    "codeconnections.api": "codeconnections",
    "codestar-connections.api": "codestar-connections",
    "ecr.api": "api.ecr",
    "ecr.dkr": "*.dkr.ecr",
    "execute-api": "*.execute-api",
    "git-codecommit": "git-codecommit",
    "kinesis-firehose": "firehose",
    "kinesis-streams": "kinesis",
    "s3": "*.s3",
}
# Of newer services, whose names end in api.aws.
_NEW_NAMES = frozenset({"eks-auth"})


def short(name: str, region: str) -> str | None:
    """`ecr.api` of `com.amazonaws.<region>.ecr.api`; None if there is no such service."""
    head, _, rest = name.partition(f".{region}.")
    known = head == "com.amazonaws" and rest in GATEWAYS | _INTERFACES
    return rest if known else None


def has_interface(service: str) -> bool:
    """Whether a service can be reached by interfaces, and not by a gateway only."""
    return service in _INTERFACES


def private_name(service: str, region: str) -> str:
    """The public name of a service, which the VPC then resolves to the endpoint."""
    suffix = "api.aws" if service in _NEW_NAMES else "amazonaws.com"
    return f"{_PRIVATE.get(service, service)}.{region}.{suffix}"
