"""Another team's platform.yaml builds its own two Regions: no name of ours is in the way."""

from collections import Counter
from pathlib import Path

import cfn
from tests import local_world
from tests.cfn.test_second_platform import FILE
from tests.rehearsal.virtual import acting_on


def test_another_platform_is_built_from_its_file_alone(tmp_path: Path) -> None:
    """Every stack is made in its place, and a second apply finds nothing to do."""
    local = tmp_path / "local"
    with (
        local_world.start(local, virtual=True, platform=FILE) as world,
        acting_on(world, tmp_path) as product,
    ):
        product.run("apply_infrastructure")
        for region in world.platform.regions:
            pages = world.aws("cloudformation", region.alias).get_paginator("describe_stacks")
            found = pages.paginate().build_full_result()["Stacks"]
            units = [one for one in cfn.units(world.platform) if one.region == region]
            assert Counter(one["StackStatus"] for one in found) == {"CREATE_COMPLETE": len(units)}
        first = max(call.n for call in world.control.calls())
        product.run("apply_infrastructure")
        again = [call for call in world.control.calls(first) if call.changing]
    assert [call.operation for call in again if call.service == "cloudformation"] == []
