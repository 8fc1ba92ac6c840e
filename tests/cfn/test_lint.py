"""cfn-lint passes over every template, in the Region where it lives."""

import pytest
from cfnlint.api import lint
from cfnlint.config import ManualArgs

import cfn
from cfn import Unit
from tests.cfn import platforms

PLATFORM = platforms.of_the_repository()

# A Region's three zones are a fact of platform.yaml: `Fn::GetAZs` would answer another order or
# number some day, and move subnets.
IGNORED = ["W3010"]


@pytest.mark.parametrize("unit", cfn.units(PLATFORM), ids=lambda unit: "-".join(unit.key))
def test_templates_are_clean(unit: Unit) -> None:
    """No error, no warning, no hint; stateful resources must have both policies."""
    settings = ManualArgs(
        regions=[unit.region.name],
        ignore_checks=IGNORED,
        include_checks=["I", "I3011"],
    )
    matches = lint(cfn.render(PLATFORM, unit), config=settings)
    assert [str(match) for match in matches] == []
