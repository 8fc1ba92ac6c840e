"""EC2's VPC endpoints: gateways at once, interfaces in minutes.

An interface has an address in each of its subnets and its own security groups, and with private DNS
the VPC resolves the service's public name to it.
https://docs.aws.amazon.com/vpc/latest/privatelink/create-interface-endpoint.html
"""

from typing import Any

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_endpoint_records as records
from platform_pipelines.local.aws.ec2_describes import ENDPOINTS, chosen
from platform_pipelines.local.aws.ec2_endpoint_records import INTERFACE, Record
from platform_pipelines.local.aws.service import Call, Result, Service, not_implemented, operation

CREATED, DELETED = "ec2.vpc_endpoint_created", "ec2.vpc_endpoint_deleted"


class Endpoints(Service):
    """Gateway and interface endpoints."""

    name = "ec2"

    def start(self) -> None:
        super().start()
        self.world.timers.on(CREATED, self._endpoint_created)
        self.world.timers.on(DELETED, self._endpoint_deleted)

    @operation(raises=records.RAISES, states="of an interface: pending → available | failed")
    def CreateVpcEndpoint(self, call: Call) -> Result:  # noqa: N802
        token = call.params.get("ClientToken")
        same = (one for one in records.endpoints().values() if token and one.get("_token") == token)
        record = next(same, None)
        if record is None:
            record = records.make(call, self.world.now())
            if record["VpcEndpointType"] == INTERFACE:
                self._endpoint_later("vpc_endpoint_creating", CREATED, call, record)
        answer = {"VpcEndpoint": records.described(record, call.region)}
        return answer | ({"ClientToken": token} if token else {})

    @operation(
        raises=(
            *(records.MISSING, "InvalidNextToken", "InvalidParameterCombination"),
            "InvalidParameterValue",
        )
    )
    def DescribeVpcEndpoints(self, call: Call) -> Result:  # noqa: N802
        found = [records.described(one, call.region) for one in records.endpoints().values()]
        return chosen(call, ENDPOINTS, found)

    @operation(raises=(records.MISSING, *records.RAISES))
    def ModifyVpcEndpoint(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        if lacking := [name for name in ("DnsOptions", "SubnetConfigurations") if name in params]:
            raise not_implemented(f"ModifyVpcEndpoint with {lacking}")
        record = records.find(params["VpcEndpointId"])
        records.check_places(params, record["VpcId"], prefix="Add")
        changes = {name: _changed(record, call, name) for name, *_ in records.PLACES}
        records.check_zones(changes["SubnetIds"])
        records.check_routes(params.get("AddRouteTableIds", []), record["ServiceName"])
        wanted = record | changes
        wanted["PrivateDnsEnabled"] = params.get("PrivateDnsEnabled", record["PrivateDnsEnabled"])
        if wanted["PrivateDnsEnabled"] and not record["PrivateDnsEnabled"]:
            records.check_private_dns(record | {"PrivateDnsEnabled": True}, call.region)
        record |= wanted | _policy(call)
        known = record["_interfaces"]
        record["_interfaces"] = {
            one: known.get(one) or f"eni-{record['_mark']}{one[-9:]}" for one in record["SubnetIds"]
        }
        return {"Return": True}

    @operation(states="of an interface: deleting → gone")
    def DeleteVpcEndpoints(self, call: Call) -> Result:  # noqa: N802
        failed = []
        for id_ in call.params["VpcEndpointIds"]:
            record = records.endpoints().get(id_)
            if record is None:
                message = f"The VpcEndpoint Id {id_} does not exist"
                error = {"Code": "InvalidVpcEndpoint.NotFound", "Message": message}
                failed.append({"ResourceId": id_, "Error": error})
            elif record["VpcEndpointType"] != INTERFACE:
                _forget(id_)
            elif record["State"] != "deleting":
                record["State"] = "deleting"
                self._endpoint_later("vpc_endpoint_deleting", DELETED, call, record)
        return {"Unsuccessful": failed}

    def _endpoint_later(self, name: str, kind: str, call: Call, record: Record) -> None:
        about = {"region": call.region, "resource": record["VpcEndpointId"]}
        place = {"account": call.account, "place": call.region}
        self.world.transition(name, kind, **about, **place, endpoint=record["VpcEndpointId"])

    def _endpoint_created(
        self, account: str, place: str, endpoint: str, failed: bool = False
    ) -> None:
        with ministack.scope(account, place):
            record = records.endpoints().get(endpoint)
            if record is not None and record["State"] == "pending":
                record["State"] = "failed" if failed else "available"
                if failed:
                    record["FailureReason"] = "The endpoint's network interfaces were not made."

    def _endpoint_deleted(
        self, account: str, place: str, endpoint: str, failed: bool = False
    ) -> None:
        with ministack.scope(account, place):
            record = records.endpoints().get(endpoint)
            if record is not None and failed:  # it stays, and can be deleted again
                record["State"] = "available"
            elif record is not None:
                _forget(endpoint)


def _changed(record: Record, call: Call, member: str) -> list[str]:
    kept = [one for one in record[member] if one not in call.params.get(f"Remove{member}", [])]
    return kept + [one for one in call.params.get(f"Add{member}", []) if one not in kept]


def _policy(call: Call) -> dict[str, Any]:
    if call.params.get("ResetPolicy"):
        return {"PolicyDocument": records.EVERYTHING}
    given = call.params.get("PolicyDocument")
    return {"PolicyDocument": given} if given else {}


def _forget(id_: str) -> None:
    records.endpoints().pop(id_, None)
    records.store("_tags").pop(id_, None)
