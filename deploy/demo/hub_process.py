"""The hub's process: the daemon of `danglian-hub run`, which also ends when whoever started it is gone."""

import sys
from pathlib import Path

from deploy.demo.pipes import until_input_ends
from hub.config import load
from hub.daemon import serve
from hub.home import home_at
from replication.lifetime import run_until_stopped
from replication.logs import configure_logs


def main() -> int:
    """Run the hub of the home that the command line names; its log goes to standard error."""
    configure_logs(level="info", pretty=False)
    home = home_at(Path(sys.argv[1]))
    return run_until_stopped(until_input_ends(serve(load(home.settings), home)))


if __name__ == "__main__":
    sys.exit(main())
