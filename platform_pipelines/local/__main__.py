"""`python -m platform_pipelines.local`: two AWS Regions and their clusters, until SIGTERM."""

import sys

from platform_pipelines.errors import Refused
from platform_pipelines.local import ministack, options, sockets, state


def main() -> int:
    """Start the server; 2 if it cannot."""
    try:
        settings = options.read(sys.argv[1:])
        bound = sockets.bind(settings.ports)
        claim = state.prepare(settings.state, reset=settings.reset)
    except Refused as error:
        return _refuse(error)
    ministack.configure(settings.platform, settings.state, bound.ports.aws)
    from platform_pipelines.local import server  # after ministack is configured

    with claim:
        try:
            server.run(settings, bound)
        except Refused as error:
            return _refuse(error)
    return 0


def _refuse(error: Refused) -> int:
    print(f"python -m platform_pipelines.local: {options.one_line(error)}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
