"""The proof: what the hub's own commands say of the county, `verify` of every site and one live search."""

from pathlib import Path

import msgspec

from deploy.demo.commands import hub_command
from deploy.demo.report import LiveSample

LIVE_QUERY = "林权"


async def digests_of_sites(hub_home: Path) -> dict[str, str]:
    """Compare the digests of both ends at every site; a word for each site, `equal` where they are."""
    said = await hub_command(hub_home, "verify", "--json")
    return {}


async def live_sample(hub_home: Path) -> LiveSample | None:
    """Ask every node one question."""
    return None
