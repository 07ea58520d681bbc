"""Turning templates into pages: always escaped, unknown names are errors, moments and numbers as people write them."""

import hashlib
import re
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from hub.web.actors import spoken_actor
from hub.web.records import AS_RECORDED, spoken_record
from protocol.county_time import local_time, second
from protocol.wording import Text

_FOLDER = Path(__file__).parent
_PROGRAMS = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("Edge", r"Edg[A-Za-z]*/([0-9]+)"),
        ("Firefox", r"Firefox/([0-9]+)"),
        ("Chrome", r"Chrome/([0-9]+)"),
        ("Safari", r"Version/([0-9]+).* Safari/"),
    )
)
"""Browsers and where their version stands; a browser also names others, to be taken for them, so order counts."""

_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")
"""Systems, each before the one as which it names itself too."""
_KINDS = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class StaticFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file that pages load; its name holds its digest, so a browser may keep it for ever."""

    content: bytes
    kind: str


class Printer:
    """Templates and the files that pages load, read once; ``printer`` gives the one of this process."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self.files: dict[str, StaticFile] = {}
        for path in sorted((_FOLDER / "static").iterdir()):
            content = path.read_bytes()
            named = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
            self._names[path.name] = named
            self.files[named] = StaticFile(content=content, kind=_KINDS[path.suffix])
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            # They come with the program: nothing changes them while it runs.
            auto_reload=False,
        )
        filters = {
            "moment": moment,
            "short_moment": short_moment,
            "day": day,
            "number": number,
            "gib": gib,
            "size": size,
            "told": told,
            "browser": browser,
            "actor": spoken_actor,
            "recorded": recorded,
            "colon": colon,
        }
        self._templates.filters.update(filters)
        self._templates.globals["static"] = self.address_of

    def address_of(self, name: str) -> str:
        """Return where a page finds a file."""
        return f"/static/{self._names[name]}"

    def render(self, template: str, values: dict[str, object]) -> Markup:
        """Return a template filled in."""
        return Markup(self._templates.get_template(template).render(values))  # noqa: S704 - escaping is on


@cache
def printer() -> Printer:
    """Return the printer of this process: each console has the same templates, and to compile them costs a second."""
    return Printer()


def told(text: Text | None, language: str) -> str:
    """Return a text in a reader's language; nothing for none."""
    return "" if text is None else text.in_language(language)


def colon(text: str, language: str) -> str:
    """Return a text with the colon of a reader's language behind it."""
    return f"{text}：" if language == "zh" else f"{text}: "


def recorded(text: str, language: str) -> Markup:
    """Return what stands in a record, in a reader's language where it is known, else marked as what it is."""
    spoken, is_own = spoken_record(text, language)
    if not is_own:
        return Markup("{}").format(spoken)
    return Markup('<span lang="zh-CN">{}</span> <span class="hint">{}</span>').format(spoken, AS_RECORDED)


def moment(at_ms: int | None) -> str:
    """Return a moment as the clocks in China show it, whatever the machine's zone; a dash where there is none."""
    return second(at_ms) if at_ms else "—"


def short_moment(at_ms: int | None) -> str:
    """Return a moment to the minute, for lists."""
    return local_time(at_ms).strftime("%m-%d %H:%M") if at_ms else "—"


def day(at_ms: int | None) -> str:
    """Return the day of a moment, for papers."""
    return local_time(at_ms).strftime("%Y-%m-%d") if at_ms else "—"


def number(value: int | None) -> str:
    """Return a number with its thousands apart; a dash where there is none."""
    return "—" if value is None else f"{value:,}"


def gib(value: int) -> str:
    """Return bytes as GB of 1024³, as Windows shows them; a dash for a site that did not say."""
    return f"{value / 1024**3:.1f} GB" if value else "—"


def size(value: int) -> str:
    """Return bytes in the largest unit of which there is one, by steps of 1024, as Windows shows them."""
    for unit, step in (("GB", 1024**3), ("MB", 1024**2), ("KB", 1024)):
        if value >= step:
            return f"{value / step:.1f} {unit}"
    return f"{value} B"


def browser(agent: str) -> str:
    """Return a browser and its system as people call them; what cannot be told is shown as it came."""
    program = next((f"{name} {found[1]}" for name, one in _PROGRAMS if (found := one.search(agent))), "")
    if not program:
        return agent or "—"
    return " · ".join((program, *[one for one in _SYSTEMS if one in agent][:1]))
