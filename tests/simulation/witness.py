"""What may never happen on the way, however well it ends: the databases themselves take note, so no path is missed.

- The hub never applies anything twice, or a site's history backwards, and never returns to an epoch that was given up.
- A site never lets go of a frame that the hub has not applied (promise 3), whatever the broker acknowledged.

Much of what breaks these heals by itself later, from records and digests; that it had to heal is a fault all the same.
"""

from collections import defaultdict

from tests.simulation.disk import Disk

HUB_RULES = (
    """
    CREATE TABLE applied_to (site TEXT, epoch TEXT, position INTEGER, chain TEXT,
        PRIMARY KEY (site, epoch, position, chain)) WITHOUT ROWID
    """,
    """
    CREATE TRIGGER first_applied AFTER INSERT ON watermark BEGIN
        INSERT OR IGNORE INTO applied_to VALUES (new.site, new.epoch, new.position, new.chain);
    END
    """,
    """
    CREATE TRIGGER applied AFTER UPDATE OF position ON watermark BEGIN
        INSERT OR IGNORE INTO applied_to VALUES (new.site, new.epoch, new.position, new.chain);
    END
    """,
    """
    CREATE TRIGGER goes_back BEFORE UPDATE OF position ON watermark
    WHEN new.epoch = old.epoch AND new.position <= old.position BEGIN
        SELECT RAISE(ABORT, 'a watermark did not move on');
    END
    """,
    """
    CREATE TRIGGER returns BEFORE UPDATE OF position ON watermark
    WHEN new.epoch <> old.epoch
        AND EXISTS (SELECT 1 FROM retired_epoch WHERE site = new.site AND epoch = new.epoch) BEGIN
        SELECT RAISE(ABORT, 'a watermark returned to an epoch that was given up');
    END
    """,
)
"""Added to the hub's database; a rule that is broken ends the process, and so the schedule."""

SITE_RULES = (
    "CREATE TABLE let_go (epoch TEXT, last INTEGER, digest TEXT)",
    """
    CREATE TRIGGER lets_go AFTER DELETE ON outbox BEGIN
        INSERT INTO let_go VALUES (old.epoch, old.last, old.digest);
    END
    """,
)
"""Added to each site's database."""

Place = tuple[int, str]
"""A position, and the digest of the frame that ends there or nothing."""


class Witness:
    """Compares what sites let go of with what the hub has ever applied."""

    def __init__(self) -> None:
        self.accusations: list[str] = []
        """What happened that must not."""
        self._before: defaultdict[tuple[object, object], set[Place]] = defaultdict(set)

    def hub_is_put_back(self, hub: Disk) -> None:
        """Keep what the hub has applied until now, although its database forgets it."""
        for site, epoch, position, chain in hub.rows("SELECT site, epoch, position, chain FROM applied_to"):
            self._before[site, epoch].add((int(str(position)), str(chain)))

    def look(self, code: str, site: Disk, hub: Disk) -> None:
        """Look at what a transaction of a site has let go of."""
        if not site.rows("SELECT 1 FROM let_go LIMIT 1"):
            return
        # What a new epoch throws away of the old one is described again.
        gone = site.rows("SELECT epoch, max(last), digest FROM let_go WHERE epoch = (SELECT epoch FROM head)")
        site.rows("DELETE FROM let_go")
        for epoch, last, digest in gone:
            if epoch is not None and not self._was_applied(hub, code, str(epoch), (int(str(last)), str(digest))):
                self.accusations.append(f"{code} let go of what the hub has not applied: up to {last} of {epoch}")

    def _was_applied(self, hub: Disk, code: str, epoch: str, frame: Place) -> bool:
        last, digest = frame
        now = hub.rows("SELECT position, chain FROM applied_to WHERE site = ? AND epoch = ?", code, epoch)
        places = {(int(str(position)), str(chain)) for position, chain in now} | self._before[code, epoch]
        return any(position > last or (position == last and chain in ("", digest)) for position, chain in places)
