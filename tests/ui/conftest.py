"""A browser, and the world of `make dev` for it: the real Dagster on two local Regions.

The browser is the system's chromium; nothing is downloaded. Screenshots go to .local/screenshots,
from where `make screenshots` takes them into the documentation.
"""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from platform_pipelines import model
from platform_pipelines.local.options import Options
from platform_pipelines.local.stage import Stage, deliver, stage
from platform_pipelines.local.world import Ports
from tests import local_world
from tests.local_world import PLATFORM, ROOT

SCREENSHOTS = ROOT / ".local" / "screenshots"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 20_000  # real milliseconds for anything to appear; two cores may be busy
Shoot = Callable[[str], None]


@pytest.fixture(scope="package")
def chromium() -> str:
    """The system's browser."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    return found


@pytest.fixture(scope="package")
def dagster(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Dagster on a platform that serves, before anybody checked its readiness."""
    platform = model.load(PLATFORM)
    options = Options(
        platform=platform,
        file=PLATFORM,
        checkout=ROOT,
        state=tmp_path_factory.mktemp("stage"),
        speed=20,
        virtual=False,
        strict=True,
        durations=local_world.quick(),
        reset=True,
        ports=Ports(aws=0, dns=0, service=0, kube={one.alias: 0 for one in platform.regions}),
    )
    with stage(options, dagster_port=0, say=lambda _: None, fresh=True) as made:
        deliver(made)
        yield made
    local_world.note_violations(options.state)


@pytest.fixture(scope="package")
def browser(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A browser that nobody has used before."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("browser"),
            executable_path=chromium,
            headless=True,
            args=ARGUMENTS,
            viewport={"width": 1440, "height": 900},
            device_scale_factor=1.5,
        )
        context.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        yield context
        context.close()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A tab of the test's own."""
    made = browser.new_page()
    yield made
    made.close()


@pytest.fixture
def shoot(page: Page) -> Shoot:
    """Takes a screenshot for the documentation, by its name."""

    def take(name: str) -> None:
        page.screenshot(path=_screenshot(name), animations="disabled")

    return take


def _screenshot(name: str) -> Path:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return SCREENSHOTS / f"{name}.png"
