"""The tables that the code writes into the docs."""

import os
from pathlib import Path

import pytest

from platform_pipelines.local import table
from platform_pipelines.local.aws import catalogue
from platform_pipelines.local.durations import Durations

DOCS = Path(__file__).parents[2] / "docs" / "local-regions.md"


def test_the_docs_have_the_operations_and_durations_of_the_code() -> None:
    """UPDATE_GOLDENS=1 rewrites them; the difference is reviewed."""
    text = DOCS.read_text()
    now = table.updated(text, DOCS)
    if os.environ.get("UPDATE_GOLDENS"):
        DOCS.write_text(now)
        return
    assert text == now, "run `python -m platform_pipelines.local.table docs/local-regions.md`"


def test_every_operation_and_every_duration_is_there() -> None:
    """Whoever answers it."""
    text = table.render()
    assert [one.key for one in catalogue.operations() if f"`{one.name}`" not in text] == []
    assert [name for name in Durations.model_fields if f"| `{name}` |" not in text] == []


def test_what_a_service_does_not_have_is_told() -> None:
    """By name where they are few."""
    absent = catalogue.absent("eks")
    assert 0 < len(absent) <= table.NAMED
    section = table.render().partition("### eks: ")[2].partition("\n### ")[0]
    told = section.partition("Not implemented: ")[2]
    assert [name for name in absent if f"`{name}`" not in told] == []
    assert f"the other {len(catalogue.absent('ec2'))}" in table.render()


def test_the_tables_replace_those_of_before_and_nothing_else(tmp_path: Path) -> None:
    """Written twice they are the same."""
    file = tmp_path / "docs.md"
    file.write_text(f"# Title\n{table.BEGIN}\nold\n{table.END}\nafter\n")
    assert table.main([str(file)]) == 0
    once = file.read_text()
    assert once.startswith("# Title\n")
    assert once.endswith(f"{table.END}\nafter\n")
    assert "\nold\n" not in once
    assert table.main([str(file)]) == 0
    assert file.read_text() == once


def test_a_file_without_a_place_for_them_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says which lines to put in."""
    file = tmp_path / "docs.md"
    file.write_text("# Title\n")
    assert table.main([str(file)]) == 2
    assert table.BEGIN in capsys.readouterr().err
    assert file.read_text() == "# Title\n"


def test_without_a_file_they_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """For who only wants to look."""
    assert table.main([]) == 0
    assert capsys.readouterr().out == table.render()
