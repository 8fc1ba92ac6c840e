"""What all operations of EKS share: updates, transitions, and calls that EKS makes on its own."""

from collections.abc import Callable

from platform_pipelines.local.aws.eks_records import store
from platform_pipelines.local.aws.eks_updates import Change, Updates, known
from platform_pipelines.local.aws.service import Call, Result, Service


class EksBase(Service):
    """The part of the service that its operations are built on."""

    name = "eks"

    def start(self) -> None:
        self._updates = Updates(self.world)

    def _update(self, call: Call, where: str, key: str, make: Callable[[], Change]) -> Result:
        """Open an update; the same request gets its own again. Raises: Fault."""
        update = known(call, store(where)[key])
        return {"update": update or self._updates.begin(call, where, key, make())}

    def _later(self, duration: str, timer: str, call: Call, key: str) -> None:
        """Have a transition end after its time; a fault may be in its way."""
        scope = {"account": call.account, "here": call.region, "key": key}
        resource = key.rpartition("/")[2]
        self.world.transition(duration, timer, region=call.region, resource=resource, **scope)

    def _own_call(self, account: str, region: str) -> Call:
        """A call that EKS makes itself, later than the request that it belongs to."""
        return Call(
            service=self.name,
            operation="",
            params={},
            region=region,
            account=account,
            request_id="eks",
        )
