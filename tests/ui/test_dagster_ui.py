import re

from playwright.sync_api import Error, Locator, Page, ViewportSize, expect

import cfn
from platform_pipelines.local.stage import Stage
from platform_pipelines.readiness.inventories import INVENTORIES
from tests.ui.conftest import Shoot

RUN_TAKES = 60_000  # real milliseconds
MENU_STAYS, MENU_TRIES = 4_000, 6  # real milliseconds
PARITIES = ("ecr_image_parity", "argocd_sync_parity", "replication_lag")
NOT_YET = ("report",)  # nothing has failed over
GREEN = "foreignObject [style*='background-green']"  # a box of an asset that was materialized
WIDE: ViewportSize = {
    "width": 3000,
    "height": 1500,
}  # Dagster draws no boxes when they would be too small
BACKGROUND = (300, 1400)  # where the lineage has no box
GROUPS = (
    "seoul_stacks",
    "tokyo_stacks",
    "seoul_inventory",
    "tokyo_inventory",
    "readiness",
    "failover",
)


def test_a_user_launches_the_readiness_check_and_sees_the_lineage_turn_green(
    dagster: Stage, page: Page, shoot: Shoot
) -> None:
    """From the launchpad to the verdict, and every asset of both Regions in one picture."""
    page.goto(f"{dagster.dagster.url}/locations/platform_pipelines/jobs/readiness_check")
    page.get_by_text("Hide navigation").click()
    _launch(page)
    expect(page.get_by_text("Success", exact=True).first).to_be_visible(timeout=RUN_TAKES)
    _show_steps(page)
    shoot("run")

    page.goto(f"{dagster.dagster.url}/assets/readiness/dr_readiness")
    verdict = page.get_by_role("row").filter(has=page.get_by_text("verdict", exact=True))
    expect(verdict).to_contain_text("green")
    expect(page.get_by_text("rpo_efs_s")).to_be_visible()
    shoot("readiness")

    page.set_viewport_size(WIDE)
    page.goto(f"{dagster.dagster.url}/asset-groups")
    _expand(page)
    for group in GROUPS:
        expect(_nodes(page, group)).to_have_count(1)
    for name, times in _expected(dagster).items():
        expect(_nodes(page, name), name).to_have_count(times)
    expect(page.locator(GREEN)).to_have_count(sum(_expected(dagster).values()) - len(NOT_YET))
    shoot("lineage")


def _launch(page: Page) -> None:
    """As a user: the arrow beside Materialize all, the launchpad, its button."""
    _button(page, "arrow_drop_down").first.click()
    page.get_by_role("menuitem", name="Open launchpad").click()
    launch = page.get_by_role("button", name="open_in_new Materialize")
    expect(launch).to_be_enabled()
    launch.click()
    page.wait_for_url(re.compile("/runs/"))


def _show_steps(page: Page) -> None:
    """The run's steps one after the other, instead of its log."""
    _button(page, "expand_arrows").first.click()
    _button(page, "gantt_waterfall").click()
    expect(page.get_by_text("readiness__dr_readiness").first).to_be_visible()


def _expand(page: Page) -> None:
    """The whole graph on one page: both Regions side by side, readiness under them."""
    expect(page.get_by_text("readiness", exact=True).first).to_be_visible()
    _button(page, "panel_show_right").click()
    for option in ("Change graph to vertical orientation", "Expand all groups"):
        _choose(page, option)
    page.mouse.dblclick(*BACKGROUND)  # the graph then fits its pane, and every box is drawn
    expect(_nodes(page, "dr_readiness")).to_have_count(1)


def _choose(page: Page, option: str) -> None:
    """An option of the graph; its menu closes by itself whenever the graph is drawn anew."""
    item = page.get_by_role("menuitem", name=option)
    for tries_left in reversed(range(MENU_TRIES)):
        _button(page, "settings").last.click()
        try:
            item.click(timeout=MENU_STAYS)
        except Error:
            if not tries_left:
                raise
            page.keyboard.press("Escape")
        else:
            return


def _expected(dagster: Stage) -> dict[str, int]:
    """How often each asset's name stands in the graph: mostly once a Region."""
    platform = dagster.options.platform
    names = [unit.stack.name for unit in cfn.units(platform)]
    names += [one.name for one in INVENTORIES for _ in platform.regions]
    names += [*PARITIES, "dr_readiness", *NOT_YET]
    return {name: names.count(name) for name in names}


def _nodes(page: Page, name: str) -> Locator:
    """The graph's boxes of a name; Dagster cuts the middle out of a long one."""
    short = (
        re.escape(name) if len(name) <= 18 else f"{re.escape(name[:4])}….*{re.escape(name[-9:])}"
    )
    return page.locator("foreignObject").filter(has_text=re.compile(f"^{short}"))


def _button(page: Page, icon: str) -> Locator:
    """A button that has an icon and no text."""
    return page.get_by_role("button").filter(has=page.get_by_role("img", name=icon, exact=True))
