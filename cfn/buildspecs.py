"""What CodeBuild does in each stage of a pipeline. All that differs comes as environment variables.

A commit is built once, ever: its image carries the commit as an immutable tag. Both Regions'
pipelines start at a push, and the one that comes second finds the image and only hands its digest on.
Two builds of one commit would be two digests, and no failover could tell which of them ran.
https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

import textwrap

# Says a tag's digest in a Region's ECR, `none` if there is no such image; anything else fails.
_DIGEST_OF = """\
digest_of() {
  if aws ecr describe-images --region "$1" --repository-name "$REPOSITORY" \\
      --image-ids "imageTag=$COMMIT" --query 'imageDetails[0].imageDigest' \\
      --output text 2>"$WHY"; then
    return 0
  fi
  grep -q ImageNotFoundException "$WHY" && echo none
}
"""

_BUILD = f"""\
set -euo pipefail
WHY=$(mktemp)
{_DIGEST_OF}\
image="$REGISTRY/$REPOSITORY"
digest=$(digest_of "$AWS_REGION") || {{
  echo "ERROR: ECR in $AWS_REGION does not say whether $image:$COMMIT was built: $(cat "$WHY")"
  exit 1
}}
if [ "$digest" = none ]; then
  aws ecr get-login-password --region "$AWS_REGION" |
    docker login --username AWS --password-stdin "$REGISTRY"
  docker build --tag "$image:$COMMIT" .
  docker push "$image:$COMMIT"
  digest=$(digest_of "$AWS_REGION")
else
  echo "$image:$COMMIT was built before and is not built again."
fi
case "$digest" in
  sha256:*) echo "$digest" > "${{TMPDIR:-/tmp}}/digest" && echo "$image@$digest" ;;
  *) echo "ERROR: $image:$COMMIT was pushed, and ECR in $AWS_REGION does not have it."; exit 1 ;;
esac
"""

_PARITY = f"""\
set -euo pipefail
WHY=$(mktemp)
{_DIGEST_OF}\
SECONDS=0
found="not asked"
while [ "$SECONDS" -lt "$WAIT_SECONDS" ]; do
  found=$(digest_of "$OTHER_REGION") || found="no answer: $(cat "$WHY")"
  case "$found" in
    "$DIGEST")
      echo "$OTHER_REGION has $REPOSITORY@$DIGEST after $SECONDS s."
      exit 0 ;;
    sha256:*)
      echo "ERROR: in $OTHER_REGION, $REPOSITORY:$COMMIT is $found, not $DIGEST: the commit was" \\
        "built twice. Deploy neither: push a new commit, which is built once."
      exit 1 ;;
  esac
  echo "$OTHER_REGION: $found; looking again in $POLL_SECONDS s."
  sleep "$POLL_SECONDS"
done
echo "ERROR: $OTHER_REGION has no $REPOSITORY:$COMMIT after $WAIT_SECONDS s ($found). A failover" \\
  "could not start its pods, so do not deploy $DIGEST. Look at aws ecr" \\
  "describe-image-replication-status in $AWS_REGION, then retry this stage."
exit 1
"""

_HEAD = """\
version: 0.2
env:
  shell: bash
"""


def _phase(script: str) -> str:
    """The build phase: the script in a shell of its own, so that its settings end with it."""
    body = textwrap.indent(f"(\n{script})\n", " " * 8)
    return f"phases:\n  build:\n    commands:\n      - |\n{body}"


# A Dockerfile's stage `test` runs the unit tests: the same base image, whatever the language.
TEST = _HEAD + _phase("set -euo pipefail\ndocker build --target test .\n")
BUILD = (
    f"{_HEAD}  exported-variables: [DIGEST]\n"
    + _phase(_BUILD)
    + '      - export DIGEST=$(cat "${TMPDIR:-/tmp}/digest")\n'
)
PARITY = _HEAD + _phase(_PARITY)
