"""What was planted where: the exact outcome that a careful reader must come to, site by site."""

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from deploy.demo.cells import Fate, Row


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows have which fate."""

    taken: int = 0
    withheld: int = 0
    rejected: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            taken=self.taken + other.taken,
            withheld=self.withheld + other.withheld,
            rejected=self.rejected + other.rejected,
            skipped=self.skipped + other.skipped,
        )

    @property
    def entries(self) -> int:
        """Rows that are entries, whatever becomes of them."""
        return self.taken + self.withheld + self.rejected


class SiteManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What lies in one site's folder; the counts are None where nobody knows them, as with files from outside."""

    site: str
    files: int
    unreadable_files: int = 0
    counts: Counts | None = None


class Tally:
    """Counts rows by their fate and their dirt while somebody else writes them."""

    def __init__(self) -> None:
        self._fates: Counter[Fate] = Counter()
        self.dirt: Counter[str] = Counter()

    def counting(self, rows: Iterable[Row]) -> Iterator[Row]:
        """Pass the rows on."""
        for row in rows:
            self._fates[row.fate] += 1
            self.dirt.update(row.dirt)
            yield row

    @property
    def counts(self) -> Counts:
        """What has passed so far."""
        return Counts(**{fate.value: self._fates[fate] for fate in Fate})


def total(manifests: Iterable[SiteManifest]) -> Counts | None:
    """Add the sites up; None as soon as one site's counts are not known."""
    counts = Counts()
    for manifest in manifests:
        if manifest.counts is None:
            return None
        counts += manifest.counts
    return counts
