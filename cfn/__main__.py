"""`python -m cfn [--out DIR] [--platform FILE]`: write every template, for `make render`.

The files are indented for reading; what is sent to CloudFormation is the same, compact.
"""

import argparse
import json
from pathlib import Path

import cfn
from platform_pipelines import model


def write(templates: dict[tuple[str, str], str], out: Path) -> list[Path]:
    """Write each template to `<out>/<alias>/<stack>.json` and return the paths."""
    paths = []
    for (alias, stack), text in templates.items():
        path = out / alias / f"{stack}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n", "utf-8")
        paths.append(path)
    return paths


def main(arguments: list[str] | None = None) -> None:
    """Render the platform of `--platform`, by default platform.yaml here."""
    parser = argparse.ArgumentParser(prog="python -m cfn", description=main.__doc__)
    parser.add_argument("--out", type=Path, default=Path(".local/rendered"))
    parser.add_argument("--platform", type=Path, default=Path("platform.yaml"))
    options = parser.parse_args(arguments)
    write(cfn.rendered(model.load(options.platform)), options.out)


if __name__ == "__main__":
    main()
