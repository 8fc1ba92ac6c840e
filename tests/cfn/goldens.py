"""The golden templates: one indented file per Region and stack, whose diff is reviewed.

`make goldens` calls `update`; `python -m tests.cfn.goldens` does the same for templates alone.
"""

import shutil
from pathlib import Path

import cfn
from cfn.__main__ import write
from tests.cfn import platforms

FOLDER = Path(__file__).parents[1] / "goldens" / "templates"


def update(folder: Path = FOLDER) -> list[Path]:
    """Rewrite every golden template; those of stacks that are gone go too."""
    shutil.rmtree(folder, ignore_errors=True)
    return write(cfn.rendered(platforms.of_the_repository()), folder)


if __name__ == "__main__":
    update()
