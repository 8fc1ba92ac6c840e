"""The platform of the repository, and variants of it."""

from pathlib import Path
from typing import Any

import yaml

from platform_pipelines import model
from platform_pipelines.model import Platform

FILE = Path(__file__).parents[2] / "platform.yaml"


def of_the_repository() -> Platform:
    """What platform.yaml describes."""
    return model.load(FILE)


def changed(**changes: Any) -> Platform:
    """The same with other values at its top level."""
    return model.parse(yaml.safe_dump(yaml.safe_load(FILE.read_text()) | changes))
