import importlib
import pkgutil

import pytest

import platform_pipelines
from platform_pipelines.errors import Failed, InvalidEnvironment, PlatformError, Refused

for _module in pkgutil.walk_packages(platform_pipelines.__path__, "platform_pipelines."):
    if ".local" not in _module.name:
        importlib.import_module(_module.name)


def _all(kind: type[PlatformError]) -> list[type[PlatformError]]:
    found = [one for child in kind.__subclasses__() for one in (child, *_all(child))]
    return [
        one for one in found if one.__module__.startswith("platform_pipelines") and not _local(one)
    ]


def _local(kind: type[PlatformError]) -> bool:
    return kind.__module__.startswith("platform_pipelines.local")


@pytest.mark.parametrize("kind", _all(PlatformError), ids=lambda one: one.__name__)
def test_an_error_has_a_docstring_and_a_text_of_its_own(kind: type[PlatformError]) -> None:
    """What the UI shows is written, not a tuple of arguments."""
    assert kind.__doc__
    assert not kind.__doc__.startswith(f"{kind.__name__}(")
    if kind not in (Refused, Failed):
        texts = [one for one in kind.__mro__ if {"__str__", "__init__"} & set(vars(one))]
        assert texts[0].__module__.startswith("platform_pipelines")


def test_there_are_two_families() -> None:
    """We would not, or the world did not; a stop, and a reading that waits for another, are neither."""
    lonely = {one for one in _all(PlatformError) if not issubclass(one, (Refused, Failed))}
    assert {one.__name__ for one in lonely} == {"Stopped", "Unread"}


def test_a_missing_variable_is_not_an_empty_one() -> None:
    """Two texts for two mistakes."""
    missing = InvalidEnvironment("PLATFORM_TARGET", None, "'aws' or 'local'")
    empty = InvalidEnvironment("PLATFORM_TARGET", "", "'aws' or 'local'")
    assert str(missing) == "PLATFORM_TARGET is not set; set it to 'aws' or 'local'."
    assert str(empty) == "PLATFORM_TARGET is ''; set it to 'aws' or 'local'."
