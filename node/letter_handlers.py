"""What a site does with each kind of letter of its county, on the line as on a stick."""

from collections.abc import Callable

from node import proposals
from node.certifying import sealing
from node.config import NodeConfig
from node.keeper.answers import keeper_letters
from node.keeper.policy import policy_of
from node.transfers import planned
from node.transfers.office import giver_log, receiver_log
from node.transfers.relayed import transfer_letters
from replication.keys import Identity
from replication.letters import Handlers


def letter_handlers(config: NodeConfig, identity: Identity, clock_ms: Callable[[], int]) -> Handlers:
    """Return them by kind: lookups, audit heads, orders of copies, transfers, plans, proposals."""
    return {
        **keeper_letters(policy_of(config.policy), clock_ms),
        **sealing.handlers(identity, clock_ms),
        **transfer_letters(config.site, config.hub.key, giver_log(config, identity), receiver_log(identity)),
        **planned.handlers(),
        **proposals.handlers(clock_ms),
    }
