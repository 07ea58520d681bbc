"""The keeper's page in a browser of this machine, for both commands that offer it: ``requests`` and ``transfer``."""

import sys

from node.certifying.desk import KeeperDesk
from node.certifying.local_page import OrdersRoom, Room, served
from node.commands.transfer_page import TransfersRoom
from node.config import NodeConfig
from node.home import NodeHome
from protocol.wording import Text
from replication.command_line import EXIT_OK, language


def serve(home: NodeHome, settings: NodeConfig, first: str) -> int:
    """Serve the page until Ctrl-C; it opens with one of its rooms."""
    rooms: dict[str, Room] = {
        "orders": OrdersRoom(KeeperDesk(home, settings, "page")),
        "transfers": TransfersRoom(home),
    }
    with served({first: rooms[first], **rooms}) as page:
        sys.stdout.write(f"{_OPEN.in_language(language())}\n\n    {page.address}\n\n")
        sys.stdout.flush()
        page.wait()
    return EXIT_OK


_OPEN = Text(
    zh="请在本机浏览器中打开下面的地址（只在本机有效，含一次性口令；按 Ctrl-C 结束）：",
    en="Open this address in a browser on this machine (it works nowhere else, and until Ctrl-C):",
)
