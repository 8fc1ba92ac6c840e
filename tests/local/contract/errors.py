"""Which error codes a service has: those of its model, and those that AWS documents for all."""

from functools import cache

from botocore.model import Shape

from tests.local.contract import wire

# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/CommonErrors.html and its sisters;
# a service has those of its protocol.
_COMMON = frozenset(
    {
        "AccessDenied",
        "InternalFailure",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "MissingParameter",
        "RequestExpired",
        "ServiceUnavailable",
        "Throttling",
        "ValidationError",
    }
)
_COMMON_JSON = frozenset(
    {
        "AccessDeniedException",
        "SerializationException",
        "ThrottlingException",
        "ValidationException",
    }
)
_OF = {
    "json": _COMMON_JSON,
    "rest-json": _COMMON_JSON,
    "query": _COMMON | {"MalformedInput"},
    "ec2": _COMMON,
    "rest-xml": _COMMON,
}
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html, as far as we use it.
_OF_EC2 = frozenset(
    {
        *("AddressLimitExceeded", "AuthFailure", "CannotDelete", "DependencyViolation"),
        *("DryRunOperation", "Gateway.NotAttached", "IdempotentParameterMismatch"),
        *("DuplicateSubnetsInSameZone", "InvalidFlowLogId.NotFound", "InvalidServiceName"),
        *(
            "InvalidAddress.NotFound",
            "InvalidAllocationID.NotFound",
            "InvalidAssociationID.NotFound",
        ),
        *("InvalidGatewayID.NotFound", "InvalidGroup.Duplicate", "InvalidGroup.NotFound"),
        *("InvalidInstanceID.NotFound", "InvalidInternetGatewayID.NotFound", "InvalidNextToken"),
        *("InvalidNetworkInterfaceID.NotFound", "InvalidParameter", "InvalidPermission.Duplicate"),
        *("InvalidPermission.NotFound", "InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"),
        *("InvalidSubnet.Conflict", "InvalidSubnet.Range", "InvalidSubnetID.NotFound"),
        *("InvalidVpc.Range", "InvalidVpcID.NotFound", "InvalidVpcEndpointId.NotFound"),
        *("NatGatewayNotFound", "NetworkInterfaceLimitExceeded", "Resource.AlreadyAssociated"),
        *("RouteAlreadyExists", "VpcLimitExceeded"),
        *("InvalidID", "InvalidLaunchTemplateId.NotFound", "InvalidNetworkAclID.NotFound"),
        "InvalidLaunchTemplateName.NotFoundException",
    }
)
# Codes that a service documents outside of its model.
_DOCUMENTED = {
    "ec2": _OF_EC2,
    "cloudwatch": _OF["query"],  # it answers JSON with the codes of its query days
    "s3": frozenset(
        {"InvalidArgument", "InvalidRequest", "MalformedXML", "NoSuchLifecycleConfiguration"}
    ),
    "sqs": _OF["query"],
}


# What any operation of a service may answer, so that none of them has to say it.
OF_ALL = {"ec2": frozenset({"DryRunOperation"})}


def is_error_of(service: str, code: str) -> bool:
    """Whether AWS has this code for this service. EC2's and S3's models have next to none."""
    model = wire.service_model(service)
    documented = _OF[model.resolved_protocol] | _DOCUMENTED.get(service, frozenset())
    return code in documented or code in _modelled(service)


@cache
def _modelled(service: str) -> frozenset[str]:
    model = wire.service_model(service)
    return frozenset(_code(shape) for shape in model.error_shapes)


def _code(shape: Shape) -> str:
    return str(shape.metadata.get("error", {}).get("code") or shape.name)
