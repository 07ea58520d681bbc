"""Both ends of a proposal in one test: the hub's store with a console, a site's store, and letters carried by hand."""

from sqlalchemy import Connection

from hub.decisions import proposal_answers
from node import proposals as node_proposals
from replication import letters
from replication.database import Database
from replication.letters import HUB_PEER, Handlers

NOW_MS = 1_790_000_000_000


async def carry(hub: Database, node: Database, site: str) -> tuple[int, int]:
    """Carry everything that is due both ways, as the call ``letters`` does; returns how much went each way."""
    down = await _one_way(hub, node, site, HUB_PEER, node_proposals.handlers(lambda: NOW_MS))
    up = await _one_way(node, hub, HUB_PEER, site, proposal_answers.handlers(lambda: NOW_MS))
    return down, up


async def _one_way(source: Database, target: Database, to: str, sender: str, handlers: Handlers) -> int:
    found, _ = await source.read(lambda connection: letters.due(connection, to, NOW_MS))

    def take(connection: Connection) -> None:
        letters.take(connection, sender, found, handlers, NOW_MS)

    await target.write(take)
    await source.write(lambda connection: letters.confirm(connection, to, [one.letter_id for one in found]))
    return len(found)
