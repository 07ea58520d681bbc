"""Pieces: the parts of a page that move. A page is made of them, and the stream sends them again when they change.

The same code makes both, so a page looks after an hour of changes as it does when it is loaded anew. Pieces know
nothing of the visitor but the language, so they are made once for everybody.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec
from markupsafe import Markup

from hub.alarm.attention import MATTERS, needs
from hub.sites.board import WORDS, SiteState, Word
from hub.sites.outlook import Outlook
from hub.sites.plain_words import Tone, cause_of, explained, tone_of
from hub.web.languages import Language
from hub.web.live import MINUTES, Beat, Pulse
from hub.web.rendering import Printer
from hub.web.words import in_language
from protocol.errors import BadValue
from protocol.sites import SiteRank, parse_site
from protocol.wording import Text

NEEDS_SHOWN_MAX = 20
"""Needs on the first page; the rest is counted."""

LATEST_SHOWN = 8
"""Sites that moved last, on the first page."""

_BAR_HEIGHT = 64
"""Units of height of the tallest bar of the pulse."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One site on the board."""

    line: SiteState
    tone: Tone
    has_alarm: bool


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """A township with its villages, or what belongs to none."""

    code: str
    head: Tile | None
    tiles: tuple[Tile, ...]


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of the pulse as it is drawn."""

    x: int
    y: int
    height: int


class Chip(msgspec.Struct, frozen=True, kw_only=True):
    """How many sites are in a state."""

    word: Word
    tone: Tone
    count: int


class Town(msgspec.Struct, frozen=True, kw_only=True):
    """A township on the board, with a sign for each of its sites."""

    name: str
    path: str
    tiles: tuple[Tile, ...]
    told: Text
    """The same in words, for who does not see it."""


Pieces = dict[str, Markup]
"""HTML by the id of its outermost element."""


def tiles_of(outlook: Outlook) -> list[Tile]:
    """Return every site as it stands on the board."""
    found = []
    for one in outlook.sites:
        alarms = outlook.alarms_of(one.site)
        found.append(Tile(line=one, tone=tone_of(one, alarms), has_alarm=bool(alarms)))
    return found


def groups_of(tiles: Sequence[Tile]) -> list[Group]:
    """Return tiles by township, each with its own site at the head, in the order of codes; the rest comes first."""
    by_town: dict[str, list[Tile]] = {}
    for tile in tiles:
        by_town.setdefault(_town_of(tile.line.site), []).append(tile)
    groups = []
    for code, some in sorted(by_town.items()):
        head = next((one for one in some if one.line.site == code), None)
        groups.append(Group(code=code, head=head, tiles=tuple(one for one in some if one is not head)))
    return groups


def towns_of(groups: Sequence[Group]) -> list[Town]:
    """Return the townships of the board, and what belongs to none, each with what a reader is told of it."""
    return [_town(group) for group in groups]


def _town(group: Group) -> Town:
    tiles = (group.head, *group.tiles) if group.head is not None else group.tiles
    counts = Counter(tile.line.word for tile in tiles)
    parts = [(WORDS[word], count) for word, count in sorted(counts.items(), key=lambda one: list(WORDS).index(one[0]))]
    alarmed = sum(tile.has_alarm for tile in tiles)
    told = Text(
        zh="，".join([f"{word.zh} {count}" for word, count in parts] + ([f"有告警 {alarmed}"] if alarmed else [])),
        en=", ".join([f"{word.en} {count}" for word, count in parts] + ([f"with alarms {alarmed}"] if alarmed else [])),
    )
    name = group.head.line.name if group.head is not None else ""
    return Town(
        name=name or group.code,
        path=f"/sites?find={group.code[:9]}" if group.code else "/sites",
        tiles=tiles,
        told=told,
    )


def _town_of(code: str) -> str:
    try:
        site = parse_site(code)
    except BadValue:
        return ""
    while site.rank is not SiteRank.TOWNSHIP:
        above = site.parent
        if above is None:
            return ""
        site = above
    return site.code


def chips_of(outlook: Outlook) -> list[Chip]:
    """Return how many sites are in which state, the worst state first."""
    lines = {one.word: one for one in outlook.sites}
    return [Chip(word=word, tone=tone_of(lines[word]), count=count) for word, count in outlook.words.items()]


def bars_of(beats: Sequence[Beat]) -> list[Bar]:
    """Return the pulse as bars of at most ``_BAR_HEIGHT``; a minute with any change is seen."""
    most = max((one.changes for one in beats), default=0)
    heights = [max(2, one.changes * _BAR_HEIGHT // most) if one.changes else 0 for one in beats]
    return [Bar(x=at * 8, y=_BAR_HEIGHT - height, height=height) for at, height in enumerate(heights)]


class PieceMaker:
    """Makes pieces, and keeps those of the newest outlook; of a site that says the same still, its tile as well."""

    def __init__(self, printer: Printer, pulse: Pulse) -> None:
        self._printer = printer
        self._pulse = pulse
        self._at_ms = 0
        self._made: dict[tuple[str, Language], Pieces] = {}
        self._tiles: dict[Language, dict[Tile, Markup]] = {}

    def of_today(self, outlook: Outlook, language: Language) -> Pieces:
        """Return the pieces of the first page."""
        return self._kept("today", outlook, language)

    def of_sites(self, outlook: Outlook, language: Language) -> Pieces:
        """Return the pieces of the board: one for each site, and the counts."""
        return self._kept("sites", outlook, language)

    def of_site(self, outlook: Outlook, language: Language, code: str) -> Pieces:
        """Return the pieces of one site's page; none if there is no such site."""
        line = next((one for one in outlook.sites if one.site == code), None)
        if line is None:
            return {}
        alarms = outlook.alarms_of(code)
        values = {
            "site": line,
            "tone": tone_of(line, alarms),
            "word": WORDS[line.word],
            "explained": explained(line, outlook.at_ms),
            "cause": cause_of(alarms),
            "at_ms": outlook.at_ms,
        }
        return {name: self._render(f"pieces/{name}.html", language, values) for name in ("site-state", "site-facts")}

    def _kept(self, topic: str, outlook: Outlook, language: Language) -> Pieces:
        if outlook.at_ms != self._at_ms:
            self._at_ms, self._made = outlook.at_ms, {}
        key = (topic, language)
        if key not in self._made:
            self._made[key] = self._today(outlook, language) if topic == "today" else self._sites(outlook, language)
        return self._made[key]

    def _sites(self, outlook: Outlook, language: Language) -> Pieces:
        before = self._tiles.get(language, {})
        self._tiles[language] = tiles = {
            tile: before.get(tile) or self._render("pieces/tile.html", language, {"words": WORDS, "tile": tile})
            for tile in tiles_of(outlook)
        }
        made = {f"site-{tile.line.site}": html for tile, html in tiles.items()}
        return made | {"as-of": self._render("pieces/as-of.html", language, {"at_ms": outlook.at_ms})}

    def _today(self, outlook: Outlook, language: Language) -> Pieces:
        found = needs(outlook)
        moved = sorted((one for one in outlook.sites if one.moved_at_ms), key=lambda one: -(one.moved_at_ms or 0))
        beats = self._pulse.beats(outlook.at_ms)
        values: dict[str, object] = {
            "outlook": outlook,
            "needs": found[:NEEDS_SHOWN_MAX],
            "needs_more": max(0, len(found) - NEEDS_SHOWN_MAX),
            "needs_count": len(found),
            "matters": MATTERS,
            "chips": chips_of(outlook),
            "words": WORDS,
            "latest": moved[:LATEST_SHOWN],
            "towns": towns_of(groups_of(tiles_of(outlook))),
            "bars": bars_of(beats),
            "applied": sum(one.changes for one in beats),
            "minutes": MINUTES,
            "since_ms": self._pulse.since_ms,
            "at_ms": outlook.at_ms,
        }
        names = ("needs", "states", "pulse", "county", "latest", "as-of")
        return {name: self._render(f"pieces/{name}.html", language, values) for name in names}

    def _render(self, template: str, language: Language, values: dict[str, object]) -> Markup:
        return self._printer.render(template, {"w": in_language(language), "lang": language.value, **values})
