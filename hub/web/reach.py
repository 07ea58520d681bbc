"""What of the hub the console reaches beside its store: the sites, and the door at which they enrol."""

import msgspec

from replication.asking import Asker


class DoorSigns(msgspec.Struct, frozen=True, kw_only=True):
    """What an enrolment code says of the door, and what the person at the site types."""

    fingerprint: bytes
    """Of the certificate at the door."""
    courier_fingerprint: bytes
    """Of the hub's key, for sites without a line."""
    address: str
    """Host and port."""
    code_days: int
    """Days that a code is good."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What is there; a part that is missing is said so on the page that would use it."""

    asker: Asker | None = None
    door: DoorSigns | None = None
