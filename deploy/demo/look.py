"""A look at the county from the hub's own database: how far every site has come, as the hub knows it."""

from collections.abc import Collection, Mapping

import msgspec
from sqlalchemy import Connection, Row, select

from deploy.demo.manifest import SiteManifest
from hub.tables import node_state
from replication.watermarks import Watermark, marks_of


class SiteLook(msgspec.Struct, frozen=True, kw_only=True):
    """One site's last sign of life, beside what is applied of it."""

    site: str
    epoch: str = ""
    seq: int = 0
    applied: int = 0
    files: int = 0
    records: int = 0
    withheld: int = 0
    rejected: int = 0
    warned: int = 0
    brakes_held: int = 0
    importing: bool = True
    in_step: bool = False
    """Whether all that the site has minted is applied."""

    def has_come_through(self, manifest: SiteManifest) -> bool:
        """Tell whether all files of the site are read and all of its events applied."""
        return self.in_step and not self.importing and self.files >= manifest.files


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """All sites at one moment."""

    sites: Mapping[str, SiteLook] = {}

    @property
    def rows(self) -> int:
        """Rows that the nodes have dealt with, whatever became of them."""
        return sum(site.records + site.withheld + site.rejected for site in self.sites.values())

    @property
    def applied(self) -> int:
        """Events applied at the hub."""
        return sum(site.applied for site in self.sites.values())

    @property
    def minted(self) -> int:
        """Events minted by the nodes, as far as the hub has heard."""
        return sum(max(site.seq, site.applied) for site in self.sites.values())

    def come_through(self, manifests: Mapping[str, SiteManifest]) -> int:
        """Count the sites that have come through."""
        nothing = SiteLook(site="")
        return sum(self.sites.get(code, nothing).has_come_through(found) for code, found in manifests.items())


def look(connection: Connection, codes: Collection[str]) -> Look:
    """Look at the sites of these codes; a site that was never heard of is left out."""
    marks = marks_of(connection, codes)
    statement = select(node_state).where(node_state.c.site.in_(codes))
    return Look(sites={row.site: _site(row, marks[row.site]) for row in connection.execute(statement)})


def _site(row: Row[tuple[object, ...]], mark: Watermark) -> SiteLook:
    return SiteLook(
        site=row.site,
        epoch=row.epoch,
        seq=row.seq,
        applied=mark.position,
        files=row.files,
        records=row.records,
        withheld=row.withheld,
        rejected=row.rejected,
        warned=row.warned,
        brakes_held=row.brakes_held,
        importing=bool(row.importing),
        in_step=(mark.epoch, mark.position) == (row.epoch, row.seq),
    )
