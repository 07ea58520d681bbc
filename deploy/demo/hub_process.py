"""The hub's process: the daemon of `danglian-hub run`, which also ends when whoever started it is gone."""

import sys
from pathlib import Path

from deploy.demo.pipes import until_input_ends
from hub.daemon import serve
from hub.home import home_at
from replication.lifetime import run_until_stopped
from replication.logs import configure_logs

READY = "ready"
"""What the hub's process writes to standard output once nodes can enrol."""


def main() -> int:
    """Run the hub of the home that the command line names; its log goes to standard error."""
    configure_logs(level="info", pretty=False)
    home = home_at(Path(sys.argv[1]))
    return run_until_stopped(until_input_ends(serve(home, on_ready=_say_ready)))


def _say_ready() -> None:
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
