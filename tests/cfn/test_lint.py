"""cfn-lint passes over every template, in the Region where it lives, as `make lint` has it."""

from typing import Any

import pytest
import yaml
from cfnlint.api import lint
from cfnlint.config import ManualArgs

import cfn
from cfn import Unit
from tests.cfn import platforms
from tests.cfn.templates import PLATFORM, UNITS, template

SETTINGS: dict[str, Any] = yaml.safe_load((platforms.FILE.parent / ".cfnlintrc").read_text())
UNKEPT = "I3011"


def findings(text: str, region: str) -> list[str]:
    """All that cfn-lint finds in a template, as `make lint` has it."""
    settings = ManualArgs(
        regions=[region],
        ignore_checks=SETTINGS["ignore_checks"],
        include_checks=SETTINGS["include_checks"],
        mandatory_checks=SETTINGS["mandatory_checks"],
    )
    return [str(match) for match in lint(text, config=settings)]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: "-".join(unit.key))
def test_templates_are_clean(unit: Unit) -> None:
    """No error, no warning, no hint; stateful resources must have both policies."""
    assert findings(cfn.render(PLATFORM, unit), unit.region.name) == []


def test_a_stateful_resource_without_its_policies_is_found_even_where_a_template_says_no() -> None:
    """A template cannot switch the check off."""
    (unit,) = (unit for unit in UNITS if unit.key == ("seoul", "database"))
    changed = template(unit)
    cluster = changed["Resources"]["ClusterPeccy"]
    del cluster["DeletionPolicy"], cluster["UpdateReplacePolicy"]
    cluster["Metadata"] = {"cfn-lint": {"config": {"ignore_checks": [UNKEPT]}}}
    assert any(UNKEPT in match for match in findings(yaml.safe_dump(changed), unit.region.name))


def test_the_command_line_looks_at_the_same_with_every_hint_as_a_failure() -> None:
    """`cfn-lint` reads `.cfnlintrc`: the platform's own Regions, and nothing is only a remark."""
    assert SETTINGS["regions"] == [region.name for region in PLATFORM.regions]
    assert SETTINGS["non_zero_exit_code"] == "informational"
    assert UNKEPT in SETTINGS["mandatory_checks"]
