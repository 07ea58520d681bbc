"""The grammar of subjects: every name under which something travels over the broker.

    dl.evt.<site>                    frames of events, kept by the stream DL_EVENTS
    dl.beat.<site>                   a node's sign of life
    dl.rcpt.<site>                   the hub's receipts and wishes for one site
    dl.fetch.<site>                  a new node asks for what the hub holds of its site
    dl.held.<site>                   the hub's answer to that, page by page
    dl.draw.<site>                   the hub asks for files that a site has offered
    dl.drawn.<site>.<drawer>         pieces of them, sealed for the hub
    dl.ask.<site>.<call>             a call to one site
    dl.ask.all.<call>                the same call to every site
    dl.rsp.<site>.<asker>.<question> replies: the subject itself proves who answered

``<site>`` is four tokens, county · town · village · suffix (``_`` where there is none). Subjects are ASCII and never
carry a reference code, a name or a query (promise 8).
"""

import re

from protocol.errors import BadValue
from protocol.sites import Site, site_from_tokens
from protocol.wording import Text

EVENT_STREAM = "DL_EVENTS"
EVENT_SUBJECTS = "dl.evt.>"
BEAT_SUBJECTS = "dl.beat.>"
FETCH_SUBJECTS = "dl.fetch.>"
ASK_ALL = "dl.ask.all.*"

_ASKER = re.compile(r"[a-z0-9-]{1,40}")
_QUESTION = re.compile(r"[a-z0-9]{1,32}")


def events(site: Site) -> str:
    """Where a site publishes its frames."""
    return f"dl.evt.{site.tokens}"


def beat(site: Site) -> str:
    """Where a node says that it is alive."""
    return f"dl.beat.{site.tokens}"


def receipt(site: Site) -> str:
    """Where the hub tells a site how far it has applied, and what it wants."""
    return f"dl.rcpt.{site.tokens}"


def fetch(site: Site) -> str:
    """Where a node asks for what the hub holds of its site."""
    return f"dl.fetch.{site.tokens}"


def held(site: Site) -> str:
    """Where the hub tells a node what it holds of its site."""
    return f"dl.held.{site.tokens}"


def draw(site: Site) -> str:
    """Where a site hears which of its offered files are wanted."""
    return f"dl.draw.{site.tokens}"


def drawn(site: Site, drawer: str) -> str:
    """Where a site puts the pieces that ``drawer`` asked for.

    Raises:
        BadValue: the drawer's name is not a safe subject token.

    """
    if not _ASKER.fullmatch(drawer):
        raise BadValue(Text(zh="提取者名称不合规。", en="the drawer's name is not a safe subject token"))
    return f"dl.drawn.{site.tokens}.{drawer}"


def drawn_of(site: Site) -> str:
    """Every piece that one site may send, for its permissions."""
    return f"dl.drawn.{site.tokens}.*"


def drawn_to(drawer: str) -> str:
    """Every piece that any site sends to one drawer, for its standing subscription."""
    return f"dl.drawn.*.*.*.*.{drawer}"


def ask(site: Site, call: str) -> str:
    """Where one site hears a call."""
    return f"dl.ask.{site.tokens}.{call}"


def ask_every(site: Site) -> str:
    """Every call made to one site, for its subscription."""
    return f"dl.ask.{site.tokens}.*"


def ask_all(call: str) -> str:
    """Where every site hears a call."""
    return f"dl.ask.all.{call}"


def reply(site: Site, asker: str, question: str) -> str:
    """Where ``site`` answers a question of ``asker``.

    Raises:
        BadValue: the asker's or question's name is not a safe subject token.

    """
    if not _ASKER.fullmatch(asker) or not _QUESTION.fullmatch(question):
        raise BadValue(Text(zh="提问者或问题编号不合规。", en="asker or question is not a safe subject token"))
    return f"dl.rsp.{site.tokens}.{asker}.{question}"


def replies_to(asker: str) -> str:
    """Every reply to one asker, for its standing subscription."""
    return f"dl.rsp.*.*.*.*.{asker}.*"


def replies_of(site: Site) -> str:
    """Every reply that one site may give, for its permissions."""
    return f"dl.rsp.{site.tokens}.>"


def site_of(subject: str) -> Site:
    """Read the site from the subject of a frame or a sign of life.

    Raises:
        BadValue: the subject carries no site.

    """
    return site_from_tokens(subject.split(".")[2:6])
