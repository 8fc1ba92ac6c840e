"""EC2's NAT gateways: created and deleted in minutes, and failed if the network is not fit for one.

What is wrong with the network shows as the state `failed`, as AWS tells it only then.
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
"""

from platform_pipelines.local import ministack
from platform_pipelines.local.aws import ec2_nat_records as records
from platform_pipelines.local.aws.ec2_nat_records import Record
from platform_pipelines.local.aws.paging import paged
from platform_pipelines.local.aws.service import Call, Fault, Params, Result, Service, operation

CREATED, DELETED, FORGOTTEN = (
    "ec2.nat_gateway_created",
    "ec2.nat_gateway_deleted",
    "ec2.nat_gateway_forgotten",
)
_LINGERS = 3600.0  # AWS-like seconds for which one that is gone is still described
_BROKEN = (
    "Network interface {interface}, created and used internally by this NAT gateway is in an "
    "invalid state. Please try again."
)


class NatGateways(Service):
    """Zonal ones, public and private, with one address."""

    name = "ec2"

    def start(self) -> None:
        super().start()
        self.world.timers.on(CREATED, self._created)
        self.world.timers.on(DELETED, self._deleted)
        self.world.timers.on(FORGOTTEN, self._forgotten)

    @operation(
        raises=(
            *("IdempotentParameterMismatch", "InvalidAllocationID.NotFound"),
            *("InvalidParameter", "InvalidSubnetID.NotFound", "MissingParameter", "NotImplemented"),
        ),
        states="pending → available | failed",
    )
    def CreateNatGateway(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        record = self._same(params) or self._new(call)
        answer = {"NatGateway": records.described(record)}
        return answer | ({"ClientToken": params["ClientToken"]} if "ClientToken" in params else {})

    @operation(raises=("InvalidNextToken", "InvalidParameterValue", "NatGatewayNotFound"))
    def DescribeNatGateways(self, call: Call) -> Result:  # noqa: N802
        params = call.params
        wanted = [records.find(id_) for id_ in params.get("NatGatewayIds", [])]
        described = [records.described(one) for one in wanted or list(records.gateways().values())]
        found = [one for one in described if records.passes(one, params.get("Filter", []))]
        wrong = Fault("InvalidNextToken", "The token is not valid.")
        return paged("NatGateways", found, params, wrong=wrong)

    @operation(raises=("NatGatewayNotFound",), states="deleting → deleted")
    def DeleteNatGateway(self, call: Call) -> Result:  # noqa: N802
        id_ = call.params["NatGatewayId"]
        record = records.find(id_)
        if record["State"] == "failed":
            self._deleted(call.account, call.region, id_)
        elif record["State"] not in {"deleting", "deleted"}:
            record["State"] = "deleting"
            self._later("nat_gateway_deleting", DELETED, call.account, call.region, id_)
        return {"NatGatewayId": id_}

    def _same(self, params: Params) -> Record | None:
        token = params.get("ClientToken")
        found = (one for one in records.gateways().values() if token and one.get("_token") == token)
        record: Record | None = next(found, None)
        if record is not None and record["_asked"] != records.asked(params):
            message = "The client token was used with other parameters."
            raise Fault("IdempotentParameterMismatch", message)
        return record

    def _new(self, call: Call) -> Record:
        subnet = records.check(call.params)
        record = records.make(call.params, subnet, self.world.now())
        id_ = record["NatGatewayId"]
        self._later("nat_gateway_creating", CREATED, call.account, call.region, id_)
        return record

    def _later(self, name: str, kind: str, account: str, region: str, gateway: str) -> None:
        about = {"region": region, "resource": gateway}
        self.world.transition(name, kind, **about, account=account, place=region, gateway=gateway)

    def _created(self, account: str, place: str, gateway: str, failed: bool = False) -> None:
        with ministack.scope(account, place):
            record = records.gateways().get(gateway)
            if record is None or record["State"] != "pending":
                return
            if failed:
                message = _BROKEN.format(interface=record["_interface"])
                record["_failure"] = ("InternalError", message)
            record["State"] = "failed" if record.get("_failure") else "available"
            if record["State"] == "failed":
                records.leave(record)
                self._linger(account, place, gateway)

    def _deleted(self, account: str, place: str, gateway: str, failed: bool = False) -> None:
        with ministack.scope(account, place):
            record = records.gateways().get(gateway)
            if record is None or record["State"] == "deleted":
                return
            if failed:  # AWS has no failed deletion: it stays, and can be deleted again
                record["State"] = "available"
                return
            records.leave(record)
            record |= {"State": "deleted", "DeleteTime": self.world.now()}
            self._linger(account, place, gateway)

    def _linger(self, account: str, place: str, gateway: str) -> None:
        about = {"account": account, "place": place, "gateway": gateway}
        self.world.timers.after(_LINGERS, FORGOTTEN, **about)

    def _forgotten(self, account: str, place: str, gateway: str) -> None:
        with ministack.scope(account, place):
            records.gateways().pop(gateway, None)
            ministack.service("ec2")._tags.pop(gateway, None)
