"""What the demonstration and its worker processes say to each other: one JSON object a line, orders down, facts up."""

import msgspec

from deploy.demo.manifest import SiteManifest


class _Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="say"):
    """How every line is read."""


class Assignment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One site that a worker looks after."""

    site: str
    position: int
    """Its number in the demonstration, which decides what its catalogues look like."""
    code: str
    """Its one-time enrolment code."""
    source: str = ""
    """A file to use instead of made-up catalogues."""
    is_outpost: bool = False
    """Its power will fail."""


class Prepare(_Message, frozen=True, kw_only=True, tag="prepare"):
    """Write the catalogues of these sites and enrol their nodes; the first order of a worker."""

    nodes: str
    """Folder of the nodes' homes."""
    door: str
    rows: int
    seed: int
    sites: tuple[Assignment, ...]


class Launch(_Message, frozen=True, kw_only=True, tag="launch"):
    """Start the node daemons of these sites; no site named means all."""

    sites: tuple[str, ...] = ()
    nodes: str = ""
    """Folder of the nodes' homes, for a worker that prepared nothing."""


class Halt(_Message, frozen=True, kw_only=True, tag="halt"):
    """Stop the node daemon of one site."""

    site: str


Order = Prepare | Launch | Halt


class Written(_Message, frozen=True, kw_only=True, tag="written"):
    """A site's catalogues lie in its folder."""

    manifest: SiteManifest


class Enrolled(_Message, frozen=True, kw_only=True, tag="enrolled"):
    """A site's node was admitted by the hub."""

    site: str


class Running(_Message, frozen=True, kw_only=True, tag="running"):
    """A node daemon was started."""

    site: str


class Ended(_Message, frozen=True, kw_only=True, tag="ended"):
    """A node daemon has stopped, or a site could not be prepared; the reason is empty where it was told to stop."""

    site: str
    reason_zh: str = ""
    reason_en: str = ""


Fact = Written | Enrolled | Running | Ended

_encoder = msgspec.json.Encoder()
orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
facts: msgspec.json.Decoder[Fact] = msgspec.json.Decoder(Fact)


def line(message: Order | Fact) -> bytes:
    """Return a message as one line."""
    return _encoder.encode(message) + b"\n"
