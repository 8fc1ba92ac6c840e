"""The page `/_local/` in a browser: it shows both Regions and breaks them by its switches."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from platform_pipelines.local.stage import Stage
from platform_pipelines.local.world import Outage
from tests.local_world import LocalWorld
from tests.ui.conftest import Shoot


@pytest.fixture
def world(emptied_regions: LocalWorld) -> LocalWorld:
    """A world of the test's own, with something to see."""
    efs = emptied_regions.aws("efs", "seoul")
    made = efs.create_file_system(CreationToken="x", Tags=[{"Key": "Name", "Value": "pictures"}])
    emptied_regions.aws("rds", "tokyo").create_global_cluster(
        GlobalClusterIdentifier="peccy", Engine="aurora-mysql"
    )
    assert made["Name"] == "pictures"
    return emptied_regions


@pytest.fixture
def looked(page: Page, world: LocalWorld) -> Page:
    """The page, shown."""
    page.goto(f"{world.url}/_local/")
    expect(page.get_by_role("region", name="first Region")).to_contain_text("pictures")
    return page


def test_both_regions_stand_side_by_side_with_what_they_have(looked: Page) -> None:
    """Resources with their states, and the calls that made them."""
    left = looked.get_by_role("region", name="first Region")
    right = looked.get_by_role("region", name="second Region")
    expect(left).to_contain_text("seoul ap-northeast-2")
    expect(right).to_contain_text("tokyo ap-northeast-1")
    expect(right).not_to_contain_text("pictures")
    expect(looked.locator("#calls")).to_contain_text("CreateFileSystem")


def test_an_outage_is_switched_on_and_off(looked: Page, world: LocalWorld) -> None:
    """The Region turns dark on the page as it does for callers."""
    looked.get_by_label("outage of seoul").select_option("hang")
    expect(looked.locator("#left")).to_have_class("dark")
    assert world.control.outages() == {"seoul": Outage.HANG}
    looked.get_by_label("outage of seoul").select_option("")
    expect(looked.locator("#left")).not_to_have_class("dark")
    assert world.control.outages() == {}


def test_a_zone_is_lost_and_comes_back(looked: Page) -> None:
    """By one button."""
    tokyo = looked.get_by_role("region", name="second Region")
    zone = tokyo.get_by_role("button", name="a", exact=True)
    zone.click()
    lost = tokyo.get_by_role("button", name="a lost")
    expect(lost).to_have_attribute("aria-pressed", "true")
    lost.click()
    expect(zone).to_have_attribute("aria-pressed", "false")


def test_a_partition_is_cut_by_its_button(looked: Page, world: LocalWorld) -> None:
    """Between any two places."""
    row = looked.locator("#partitions li", has_text="seoul ↔ tokyo")
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_text("cut")
    row.get_by_role("button").click()
    expect(row.get_by_role("button")).to_have_text("whole")


def test_a_fault_is_added_and_ended_and_a_mistake_is_told(looked: Page, world: LocalWorld) -> None:
    """In the control API's own words."""
    looked.get_by_label("a fault as JSON").fill('{"kind": "rain"}')
    looked.get_by_role("button", name="Add").click()
    expect(looked.get_by_role("status")).to_contain_text("rain")
    looked.get_by_label("a fault as JSON").fill('{"kind": "argocd", "region": "tokyo"}')
    looked.get_by_role("button", name="Add").click()
    expect(looked.get_by_role("status")).to_have_text("")
    expect(looked.locator("#faults")).to_contain_text("argocd: region tokyo")
    looked.locator("#faults").get_by_role("button", name="end").click()
    expect(looked.locator("#faults")).not_to_contain_text("argocd")
    assert world.control.faults() == []


def test_the_page_refreshes_by_itself(looked: Page, world: LocalWorld, tmp_path: Path) -> None:
    """Nobody presses a button."""
    world.aws("efs", "tokyo").create_file_system(
        CreationToken="later", Tags=[{"Key": "Name", "Value": "made-later"}]
    )
    expect(looked.get_by_role("region", name="second Region")).to_contain_text("made-later")


def test_what_a_name_holds_is_text_and_never_markup(looked: Page, world: LocalWorld) -> None:
    """A resource's name is anybody's."""
    name = "<img src=x onerror=alert(1)>"
    world.aws("efs", "tokyo").create_file_system(
        CreationToken="odd", Tags=[{"Key": "Name", "Value": name}]
    )
    expect(looked.get_by_role("region", name="second Region")).to_contain_text(name)
    assert looked.locator("#right img").count() == 0


def test_a_built_platform_is_seen_whole(dagster: Stage, page: Page, shoot: Shoot) -> None:
    """Replication points from home to the standby; every host is answered from home."""
    page.goto(f"{dagster.ready['aws']}/_local/")
    arrow = page.locator("#replications .arrow.right", has_text="EFS")
    expect(arrow).to_contain_text("ENABLED")
    expect(page.locator("#replications .arrow.right", has_text="Aurora")).to_be_visible()
    for service in dagster.options.platform.services:
        row = page.locator("#hosts li", has_text=service.host)
        expect(row).to_contain_text(dagster.options.platform.home)
    expect(page.locator("#left")).to_contain_text("CREATE_COMPLETE")
    shoot("local-regions")
