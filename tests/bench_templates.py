"""What rendering costs: beside troposphere alone, and beside the synth of AWS CDK.

CDK is no dependency of ours and brings Node.js. It is measured when BENCH_CDK_PYTHON names a Python
that has `aws-cdk-lib`; its app includes our own templates, so both write the same. As CDK comes, it
validates what it writes, which `make lint` does with cfn-lint for us, so it is measured without, too.
"""

import os
import shutil
import sys
from functools import partial
from pathlib import Path

import cfn
from platform_pipelines.model import Platform
from tests.bench_rows import beside, median, process, ratio, row, tell

RENDERS = 15
PROCESSES = 5
SYNTHS = 3
CDK = "BENCH_CDK_PYTHON"
KINDS = {"CDK's synth": {}, "CDK's synth, not validating": {"CDK_VALIDATION": "false"}}
APP = """
import sys
from pathlib import Path
import aws_cdk
from aws_cdk.cloudformation_include import CfnInclude

app = aws_cdk.App(outdir=sys.argv[2])
for file in sorted(Path(sys.argv[1]).glob("*/*.json")):
    name = f"{file.parent.name}-{file.stem}".replace("_", "-")
    stack = aws_cdk.Stack(app, name, synthesizer=aws_cdk.LegacyStackSynthesizer())
    CfnInclude(stack, "Template", template_file=str(file))
app.synth()
"""


def templates(platform: Platform, folder: Path) -> None:
    """All templates of both Regions: in this process, and as `make render` makes them."""
    units = cfn.units(platform)
    raw, ours = beside(
        lambda: [unit.stack.build(platform, unit.region).to_dict() for unit in units],
        lambda: cfn.rendered(platform),
        RENDERS,
    )
    size = sum(map(len, cfn.rendered(platform).values())) / 1024
    row(f"{len(units)} stacks of both Regions, {size:.0f} KiB")
    tell("  troposphere: build, to_dict (a)", raw)
    tell("  cfn.rendered: the same, tagged, as JSON (b)", ours)
    ratio("  b / a (aim: at most 1.3)", ours / raw)
    cdk(folder / "rendered")


def cdk(out: Path) -> None:
    """`make render`'s process beside CDK's synth of the same templates."""
    ours = partial(process, [sys.executable, "-m", "cfn", "--out", str(out)])
    tell("  python -m cfn, a whole process (c)", median(ours, PROCESSES))
    python = os.environ.get(CDK)
    if python is None or shutil.which(python) is None:
        row(f"  CDK's synth: not installed ({CDK} names no Python)")
        return
    assembly = out.with_name("cdk.out")
    command = [python, "-c", APP, str(out), str(assembly)]
    for what, more in KINDS.items():
        theirs, rendered = beside(partial(process, command, {**os.environ, **more}), ours, SYNTHS)
        tell(f"  {what}, a whole process (d)", theirs)
        ratio("  d / c (aim: at least 20)", theirs / rendered)
        _refuse_fewer(len(list(assembly.glob("*.template.json"))), len(list(out.glob("*/*.json"))))


def _refuse_fewer(written: int, wanted: int) -> None:
    """What writes less would seem fast."""
    if written != wanted:
        raise RuntimeError(f"CDK wrote {written} templates of {wanted}")
