"""What CodeBuild runs, run: the buildspecs' own commands, with an ECR and a Docker of files."""

import os
import re
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from cfn import buildspecs

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
SEOUL, TOKYO = "ap-northeast-2", "ap-northeast-1"

# An image of a Region is a file <region>/<tag> that holds its digest; a dark Region has a file `dark`.
AWS = """\
#!/bin/bash
echo "aws $*" >> "$STATE/calls"
case "$1 $2" in
  "ecr get-login-password") echo secret ;;
  "ecr describe-images")
    region=$4 tag=${8#imageTag=}
    if [ -e "$STATE/$region/dark" ]; then
      echo "Could not connect to the endpoint URL" >&2; exit 255
    fi
    [ -e "$STATE/$region/$tag" ] && exec cat "$STATE/$region/$tag"
    echo "An error occurred (ImageNotFoundException) when calling DescribeImages" >&2
    exit 254 ;;
esac
"""
DOCKER = """\
#!/bin/bash
echo "docker $*" >> "$STATE/calls"
[ "$1" = "$FAILS" ] && { echo "docker $1 failed" >&2; exit 1; }
[ "$1" = login ] && cat > /dev/null
[ "$1" = push ] && [ "$FAILS" != lost ] && echo "$PUSHED" > "$STATE/$AWS_REGION/$COMMIT"
exit 0
"""
# Time stands still but for `sleep`; the other Region gets its copy after so many seconds.
SLEEP = """() {
  SECONDS=$((SECONDS + $1))
  if [ "$SECONDS" -ge "$COPIED_AFTER" ]; then
    rm -f "$STATE/$OTHER_REGION/dark"; echo "$COPY" > "$STATE/$OTHER_REGION/$COMMIT"
  fi
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a build ended."""

    status: int
    output: str
    calls: tuple[str, ...]

    def docker(self) -> list[str]:
        return [call.split()[1] for call in self.calls if call.startswith("docker")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Builder:
    """A machine of CodeBuild, and both Regions' registries."""

    state: Path

    def holds(self, region: str, digest: str) -> None:
        (self.state / region / "c0ffee").write_text(digest + "\n")

    def darken(self, region: str) -> None:
        (self.state / region / "dark").touch()

    def run(self, spec: str, **variables: str) -> Ended:
        """Run the build phase's commands in one shell, as CodeBuild does; the first failure ends it."""
        commands = yaml.safe_load(spec)["phases"]["build"]["commands"]
        script = "\n".join(f"{command}\n[ $? -eq 0 ] || exit 1" for command in commands)
        done = subprocess.run(
            ["bash", "-c", f'{script}\necho "exported ${{DIGEST:-nothing}}"'],
            env=self._environment() | variables,
            capture_output=True,
            text=True,
            timeout=30,
        )
        calls = self.state / "calls"
        return Ended(
            status=done.returncode,
            output=done.stdout + done.stderr,
            calls=tuple(calls.read_text().splitlines()) if calls.exists() else (),
        )

    def _environment(self) -> dict[str, str]:
        return {
            "PATH": f"{self.state}/bin:{os.environ['PATH']}",
            "TMPDIR": str(self.state),
            "STATE": str(self.state),
            "BASH_FUNC_sleep%%": SLEEP,
            "FAILS": "",
            "PUSHED": DIGEST,
            "COPY": DIGEST,
            "COPIED_AFTER": "0",
            "REGISTRY": f"111122223333.dkr.ecr.{SEOUL}.amazonaws.com",
            "REPOSITORY": "peccy-app",
            "AWS_REGION": SEOUL,
            "OTHER_REGION": TOKYO,
            "COMMIT": "c0ffee",
            "WAIT_SECONDS": "2400",
            "POLL_SECONDS": "15",
        }


@pytest.fixture
def builder(tmp_path: Path) -> Builder:
    """No image anywhere yet."""
    for folder in ("bin", SEOUL, TOKYO):
        (tmp_path / folder).mkdir()
    for name, text in (("aws", AWS), ("docker", DOCKER)):
        program = tmp_path / "bin" / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Builder(state=tmp_path)


def test_tests_run_in_the_images_own_stage(builder: Builder) -> None:
    """And their failure is the build's."""
    assert builder.run(buildspecs.TEST).status == 0
    failed = builder.run(buildspecs.TEST, FAILS="build")
    assert failed.status == 1
    assert failed.calls[-1] == "docker build --target test ."


def test_a_commit_is_built_pushed_and_its_digest_handed_on(builder: Builder) -> None:
    """The digest is ECR's, not the builder's opinion."""
    ended = builder.run(buildspecs.BUILD)
    assert ended.status == 0
    assert ended.docker() == ["login", "build", "push"]
    assert f"exported {DIGEST}" in ended.output


def test_a_commit_that_was_built_in_the_other_region_is_not_built_again(builder: Builder) -> None:
    """Its image was copied here: only its digest is handed on."""
    builder.holds(SEOUL, OTHER)
    ended = builder.run(buildspecs.BUILD)
    assert ended.status == 0
    assert ended.docker() == []
    assert f"exported {OTHER}" in ended.output


@pytest.mark.parametrize("step", ["login", "build", "push"])
def test_a_build_that_fails_hands_nothing_on(builder: Builder, step: str) -> None:
    """Each of Docker's steps ends it."""
    ended = builder.run(buildspecs.BUILD, FAILS=step)
    assert ended.status == 1
    assert ended.docker()[-1] == step
    assert "exported" not in ended.output


def test_an_image_that_ecr_does_not_have_after_the_push_is_an_error(builder: Builder) -> None:
    """No digest is made up."""
    ended = builder.run(buildspecs.BUILD, FAILS="lost")
    assert ended.status == 1
    assert f"was pushed, and ECR in {SEOUL} does not have it" in ended.output


def test_an_ecr_that_does_not_answer_is_no_missing_image(builder: Builder) -> None:
    """Building now could make a second digest of a commit that has one."""
    builder.darken(SEOUL)
    ended = builder.run(buildspecs.BUILD)
    assert ended.status == 1
    assert ended.docker() == []
    assert "does not say whether" in ended.output
    assert "Could not connect" in ended.output


def test_parity_ends_as_soon_as_the_other_region_has_the_digest(builder: Builder) -> None:
    """It looks there, and nowhere else."""
    ended = builder.run(buildspecs.PARITY, DIGEST=DIGEST, COPIED_AFTER="60")
    assert ended.status == 0
    assert re.search(rf"{TOKYO} has peccy-app@{DIGEST} after 6\d s", ended.output)
    assert len(ended.calls) == 5
    assert all(f"--region {TOKYO}" in call for call in ended.calls)


def test_parity_goes_on_while_the_other_region_does_not_answer(builder: Builder) -> None:
    """Silence is not absence; the copy may come with the Region."""
    builder.darken(TOKYO)
    ended = builder.run(buildspecs.PARITY, DIGEST=DIGEST, COPIED_AFTER="30")
    assert ended.status == 0
    assert "no answer: Could not connect" in ended.output


def test_a_commit_that_was_built_twice_is_refused_at_once(builder: Builder) -> None:
    """Waiting cannot make two digests one."""
    builder.holds(TOKYO, OTHER)
    ended = builder.run(buildspecs.PARITY, DIGEST=DIGEST)
    assert ended.status == 1
    assert "built twice" in ended.output
    assert len(ended.calls) == 1


@pytest.mark.parametrize("dark", [False, True])
def test_a_wait_without_end_fails_and_says_what_to_do(builder: Builder, dark: bool) -> None:
    """It names the Region, the image, the last answer, and what must not be done now."""
    if dark:
        builder.darken(TOKYO)
    ended = builder.run(buildspecs.PARITY, DIGEST=DIGEST, COPIED_AFTER="9999")
    assert ended.status == 1
    assert f"ERROR: {TOKYO} has no peccy-app:c0ffee after 2400 s" in ended.output
    assert ("Could not connect" if dark else "(none)") in ended.output
    assert "do not deploy" in ended.output
    assert "describe-image-replication-status" in ended.output
