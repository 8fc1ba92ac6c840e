"""Templates change only in a diff that somebody has read."""

from pathlib import Path

from cfn.__main__ import main
from tests.cfn import goldens, platforms


def _texts(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in folder.glob("*/*.json")
    }


def test_templates_are_as_the_goldens_say(tmp_path: Path) -> None:
    """`make render` writes what `make goldens` wrote last; else run it and review the diff."""
    main(["--out", str(tmp_path), "--platform", str(platforms.FILE)])
    assert _texts(tmp_path) == _texts(goldens.FOLDER)


def test_goldens_of_stacks_that_are_gone_are_removed(tmp_path: Path) -> None:
    """Rewriting leaves nothing behind."""
    folder = tmp_path / "templates"
    (folder / "seoul").mkdir(parents=True)
    (folder / "seoul" / "gone.json").write_text("{}")
    goldens.update(folder)
    assert _texts(folder).keys() == _texts(goldens.FOLDER).keys()
