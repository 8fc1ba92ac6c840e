"""EC2: describing the network, with all of a filter's rules, unknown ids refused, and pages.

ministack knows what there is, but passes over filters and ids that it does not know. A filter that AWS
has and that is not here is refused as well, and never passed over.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from platform_pipelines.local.aws import ec2_filter_values as values
from platform_pipelines.local.aws import stores
from platform_pipelines.local.aws.ec2_filters import Found, passes
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

Record = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """How one kind of resource is described."""

    members: str  # of the answer
    ids: Mapping[str, tuple[str, str, str]]  # by parameter: member, code and words of the refusal
    values: Callable[[Record], Mapping[str, Found]]  # by the filter's name


VPCS = Described(
    members="Vpcs",
    ids={"VpcIds": ("VpcId", "InvalidVpcID.NotFound", "The vpc ID '{}' does not exist")},
    values=values.of_vpc,
)
SUBNETS = Described(
    members="Subnets",
    ids={
        "SubnetIds": (
            *("SubnetId", "InvalidSubnetID.NotFound"),
            "The subnet ID '{}' does not exist",
        )
    },
    values=values.of_subnet,
)
ROUTE_TABLES = Described(
    members="RouteTables",
    ids={
        "RouteTableIds": (
            *("RouteTableId", "InvalidRouteTableID.NotFound"),
            "The routeTable ID '{}' does not exist",
        )
    },
    values=values.of_route_table,
)
ENDPOINTS = Described(
    members="VpcEndpoints",
    ids={
        "VpcEndpointIds": (
            *("VpcEndpointId", "InvalidVpcEndpointId.NotFound"),
            "The Vpc Endpoint Id '{}' does not exist",
        )
    },
    values=values.of_endpoint,
)
TEMPLATES = Described(
    members="LaunchTemplates",
    ids={
        "LaunchTemplateIds": (
            *("LaunchTemplateId", "InvalidLaunchTemplateId.NotFound"),
            "The specified launch template, with template ID {}, does not exist.",
        ),
        "LaunchTemplateNames": (
            *("LaunchTemplateName", "InvalidLaunchTemplateName.NotFoundException"),
            "The specified launch template, with template name {}, does not exist.",
        ),
    },
    values=values.of_template,
)
GROUPS = Described(
    members="SecurityGroups",
    ids={
        "GroupIds": (
            *("GroupId", "InvalidGroup.NotFound"),
            "The security group '{}' does not exist",
        ),
        "GroupNames": (
            *("GroupName", "InvalidGroup.NotFound"),
            "The security group '{}' does not exist",
        ),
    },
    values=values.of_group,
)
_PAGES = ("InvalidNextToken", "InvalidParameterCombination", "InvalidParameterValue")


class Describes(Service):
    """The descriptions of what ministack keeps."""

    name = "ec2"

    @operation(raises=("InvalidVpcID.NotFound", *_PAGES))
    def DescribeVpcs(self, call: Call) -> Result:  # noqa: N802
        return described(call, VPCS)

    @operation(raises=("InvalidSubnetID.NotFound", *_PAGES))
    def DescribeSubnets(self, call: Call) -> Result:  # noqa: N802
        return described(call, SUBNETS)

    @operation(raises=("InvalidRouteTableID.NotFound", *_PAGES))
    def DescribeRouteTables(self, call: Call) -> Result:  # noqa: N802
        return described(call, ROUTE_TABLES)

    @operation(
        raises=(
            *("InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateName.NotFoundException"),
            *_PAGES,
        )
    )
    def DescribeLaunchTemplates(self, call: Call) -> Result:  # noqa: N802
        return described(call, TEMPLATES)

    @operation(raises=("InvalidGroup.NotFound", *_PAGES))
    def DescribeSecurityGroups(self, call: Call) -> Result:  # noqa: N802
        return described(call, GROUPS)


def described(call: Call, kind: Described) -> Result:
    """What a describing operation answers. Raises: Fault."""
    everything: list[Record] = stores.ask(call, {})[kind.members]
    return chosen(call, kind, everything)


def chosen(call: Call, kind: Described, everything: list[Record]) -> Result:
    """The page of those that a call asks for, by id and by filter. Raises: Fault."""
    found = everything
    for parameter, (member, code, words) in kind.ids.items():
        if wanted := call.params.get(parameter):
            found = _named(found, member, wanted, Fault(code, words))
            _refuse_both(call, parameter)
    filters = call.params.get("Filters", [])
    if filters:
        passes(filters, kind.values({}), ())  # refuses a filter even if there is nothing to pass it
    found = [one for one in found if passes(filters, kind.values(one), one.get("Tags", ()))]
    wrong = Fault("InvalidNextToken", "The token is not valid.")
    return paged(kind.members, found, call.params, wrong=wrong)


def _named(found: list[Record], member: str, wanted: list[str], unknown: Fault) -> list[Record]:
    known = {one[member] for one in found}
    for one in wanted:
        if one not in known:
            raise Fault(unknown.code, unknown.message.format(one))
    return [one for one in found if one[member] in wanted]


def _refuse_both(call: Call, parameter: str) -> None:
    if "MaxResults" in call.params:
        message = f"The parameter {parameter} cannot be used with the parameter MaxResults"
        raise Fault("InvalidParameterCombination", message)
