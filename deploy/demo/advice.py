"""What to try next, as commands that can be copied."""

import os
import shlex
import sys
from pathlib import Path

from deploy.demo.county import STORY_TOWN_CODE, STORY_VILLAGE_CODE
from deploy.demo.foundation import Foundation
from deploy.demo.story import STORY_PERSON, STORY_QUERY
from node.home import home_at
from protocol.limits import OFFLINE_AFTER_S
from protocol.wording import Text


def program(name: str) -> str:
    """Return how the person at the terminal calls one of our programs."""
    installed = Path(sys.executable).with_name(name)
    if not installed.exists():
        return name
    near = os.path.relpath(installed)
    return near if len(near) < len(str(installed)) else str(installed)


def advice(foundation: Foundation) -> list[tuple[Text, str]]:
    """Return what to try, each with its command; a line that begins with `>` is typed at the demonstration itself."""
    hub = f"{program('danglian-hub')} {{}} --home {_quoted(foundation.hub.root)}"
    codes = foundation.codes
    site = STORY_VILLAGE_CODE if STORY_VILLAGE_CODE in codes else codes[-1]
    node_home = foundation.nodes / site
    node = f"{program('danglian-node')} {{}} --home {_quoted(node_home)}"
    story = STORY_TOWN_CODE in codes and STORY_VILLAGE_CODE in codes and foundation.participants[0].source is None
    query = shlex.quote(STORY_QUERY if story else "合同")
    person = STORY_PERSON if story else "合同"
    lines = [
        (Text(zh="在统一目录中检索", en="Search the unified catalogue"), hub.format("search 林权")),
        (Text(zh="同时询问每个节点", en="Ask every node as well"), hub.format(f"search {query} --live")),
        (Text(zh="各站点的真实状态", en="The honest state of every site"), hub.format("sites")),
        (Text(zh="逐站核对摘要", en="Compare the digests of both ends"), hub.format("verify")),
        (Text(zh="这个节点收了什么、退了什么", en="What this node took, and what it rejected"), node.format("status")),
        (
            Text(zh="放入新的目录文件，数秒后即可检索", en="Drop another catalogue: found some seconds later"),
            f"cp FILE.xlsx {_quoted(home_at(node_home).catalogues)}",
        ),
        (
            Text(
                zh=f"停掉一个节点，再作实时检索：它说过再见，即为离线（断电的站点无声 {OFFLINE_AFTER_S:.0f} 秒后才是）",
                en="Stop a node, then search live: it said goodbye, so it is offline at once"
                f" (one whose power fails, once silent for {OFFLINE_AFTER_S:.0f} s)",
            ),
            f"> stop {site}",
        ),
        (Text(zh="再把它启动", en="Start it again"), f"> start {site}"),
        (Text(zh="停掉县级枢纽，节点照常可查", en="Stop the hub; the node still answers"), "> stop hub"),
        (Text(zh="在节点本地检索", en="Search on the node itself"), node.format(f"search {person}")),
        (Text(zh="再启动县级枢纽", en="Start the hub again"), "> start hub"),
        (Text(zh="结束演示（或按 Ctrl-C）", en="End the demonstration (or press Ctrl-C)"), "> quit"),
    ]
    if story:
        told = Text(
            zh="1986 年与 2014 年的两份合同，分藏两处", en="Two contracts, of 1986 and 2014, lie in two archives"
        )
        lines.insert(1, (told, hub.format(f"search {query}")))
    return lines


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
