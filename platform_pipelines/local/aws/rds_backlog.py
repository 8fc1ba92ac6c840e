"""What a secondary has to catch up with after its Region was cut off from the writer's.

While they are apart the writer goes on, so the first lag after it is as long as that took; then the
secondary catches up. The notes are in the member's entry, where `rds_global.lag` reads them.
"""

from platform_pipelines.local.aws import rds_global, stores
from platform_pipelines.local.aws.rds_store import GLOBALS, Record, dark, region_of
from platform_pipelines.local.world import World


class Backlogs:
    """Notes when members of one world's global clusters are cut off, and when no longer."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.on_change(self.look)

    def look(self) -> None:
        """See which secondaries have lost their writer, and which have it back."""
        for record in GLOBALS.everywhere():
            writer = rds_global.writer_of(record)
            for one in record["GlobalClusterMembers"]:
                if writer is not None and one is not writer:
                    self._note(region_of(writer["DBClusterArn"]), one)

    def _note(self, source: str, one: Record) -> None:
        now = self._world.now()
        apart = stores.apart(self._world, source, region_of(one["DBClusterArn"]))
        if apart and "_cut_off" not in one:
            one["_cut_off"] = now
            one["_writes"] = not dark(self._world, source)
        elif not apart and "_cut_off" in one:
            since, writes = one.pop("_cut_off"), one.pop("_writes")
            one |= {"_back": now, "_missed": now - since if writes else 0.0}
