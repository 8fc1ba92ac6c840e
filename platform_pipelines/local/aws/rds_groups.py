"""Subnet groups and clusters' own parameter groups: ministack's, with what it forgets to refuse."""

from dataclasses import replace

from platform_pipelines.local.aws import rds_views, stores
from platform_pipelines.local.aws.rds_default_groups import CLUSTER_GROUPS, refuse_deletion
from platform_pipelines.local.aws.rds_store import CLUSTERS
from platform_pipelines.local.aws.service import Call, Fault, Result, Service, operation

_SUBNETS, _PARAMETERS = "DBSubnetGroupName", CLUSTER_GROUPS.name


class Groups(Service):
    """The operations of groups that clusters use."""

    @operation(
        raises=(
            *("DBSubnetGroupAlreadyExists", "DBSubnetGroupDoesNotCoverEnoughAZs"),
            *("InvalidSubnet", "InvalidParameterValue"),
        )
    )
    def CreateDBSubnetGroup(self, call: Call) -> Result:  # noqa: N802
        name = call.params[_SUBNETS].lower()
        if name == "default":
            raise Fault("InvalidParameterValue", "The name default is reserved.")
        if _subnet_groups(call, name):
            text = f"The DB subnet group '{name}' already exists."
            raise Fault("DBSubnetGroupAlreadyExists", text)
        made = stores.ask(call, call.params | {_SUBNETS: name})
        zones = {one["SubnetAvailabilityZone"]["Name"] for one in made["DBSubnetGroup"]["Subnets"]}
        if len(zones) < 2:
            stores.ask(replace(call, operation="DeleteDBSubnetGroup"), {_SUBNETS: name})
            text = "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement."
            text += " Current AZ coverage: " + ", ".join(sorted(zones))
            raise Fault("DBSubnetGroupDoesNotCoverEnoughAZs", text)
        return made

    @operation(raises=("DBSubnetGroupNotFoundFault", "InvalidParameterValue"))
    def DescribeDBSubnetGroups(self, call: Call) -> Result:  # noqa: N802
        params = {_SUBNETS: call.params[_SUBNETS]} if _SUBNETS in call.params else {}
        found = rds_views.select(stores.ask(call, params)["DBSubnetGroups"], call.params, {})
        return rds_views.paged("DBSubnetGroups", found, call.params)

    @operation(raises=("DBSubnetGroupNotFoundFault", "InvalidDBSubnetGroupStateFault"))
    def DeleteDBSubnetGroup(self, call: Call) -> Result:  # noqa: N802
        name = call.params[_SUBNETS]
        users = _users(call, "DBSubnetGroup", name)
        if users:
            text = f"Cannot delete the subnet group '{name}' because at least one database instance"
            raise Fault("InvalidDBSubnetGroupStateFault", f"{text} is still using it: {users[0]}.")
        return stores.ask(call, {_SUBNETS: name})

    @operation(raises=("DBParameterGroupAlreadyExists", "InvalidParameterValue"))
    def CreateDBClusterParameterGroup(self, call: Call) -> Result:  # noqa: N802
        family = call.params["DBParameterGroupFamily"]
        if not family.startswith("aurora-"):
            raise Fault("InvalidParameterValue", f"ParameterGroupFamily {family} is not valid")
        return stores.ask(call, call.params | {_PARAMETERS: call.params[_PARAMETERS].lower()})

    @operation(raises=("DBParameterGroupNotFound", "InvalidDBParameterGroupState"))
    def DeleteDBClusterParameterGroup(self, call: Call) -> Result:  # noqa: N802
        name = call.params[_PARAMETERS]
        refuse_deletion(name)
        users = _users(call, "DBClusterParameterGroup", name)
        if users:
            text = "One or more database clusters are still members of this parameter group"
            raise Fault("InvalidDBParameterGroupState", f"{text} {name}: {users[0]}.")
        return stores.ask(call, {_PARAMETERS: name})


def _subnet_groups(call: Call, name: str) -> list[Result]:
    asked = replace(call, operation="DescribeDBSubnetGroups")
    try:
        found: list[Result] = stores.ask(asked, {_SUBNETS: name})["DBSubnetGroups"]
    except Fault:
        return []
    return found


def _users(call: Call, member: str, name: str) -> list[str]:
    found = CLUSTERS.of(call.account, call.region)
    return [one["DBClusterIdentifier"] for one in found if one[member] == name]
