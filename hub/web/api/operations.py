"""What the interface can do: one list, from which both its routes and its OpenAPI document are made."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from hub.sites.board import SiteState
from hub.staff.tokens import Scope
from hub.web.api import catalogue, county, live
from hub.web.api.asked import Asked
from hub.web.api.shapes import (
    AlarmsAnswer,
    AlarmsAsked,
    AuditAnswer,
    AuditAsked,
    BrakesAnswer,
    BrakesOfSite,
    ContradictionsAnswer,
    ContradictionsAsked,
    DecisionsAnswer,
    DuplicatesAnswer,
    EntryAnswer,
    HistoryAnswer,
    LiveAnswer,
    LiveAsked,
    Nothing,
    Page,
    QuarantineAnswer,
    SearchAnswer,
    SearchAsked,
    SitesAnswer,
    SitesAsked,
)
from protocol.wording import Text

Step = Callable[[Asked[Any]], Awaitable[msgspec.Struct]]


class PathName(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a path that names one thing."""

    name: str
    words: str
    example: str
    format: str = ""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that the interface does."""

    id: str
    path: str
    """Below ``/api/v1``; a name in braces is a part that the request fills in."""
    title: Text
    scopes: tuple[Scope, ...]
    """One of these is needed."""
    takes: type[msgspec.Struct]
    gives: type[msgspec.Struct]
    step: Step
    named: PathName | None = None


_READS: Final = (Scope.CATALOGUE, Scope.CATALOGUE_CLOSED)
_RECORD: Final = PathName(
    name="record_id", words="Id of a record.", example="0197c0de-0000-7000-8000-000000000001", format="uuid"
)
_SITE: Final = PathName(name="site", words="Code of a site.", example="330599001200")


def _operation(
    path: str,
    title: Text,
    scopes: tuple[Scope, ...],
    takes: type[msgspec.Struct],
    gives: type[msgspec.Struct],
    step: Step,
    named: PathName | None = None,
) -> Operation:
    words = step.__name__.split("_")
    name = words[0] + "".join(word.title() for word in words[1:])
    return Operation(id=name, path=path, title=title, scopes=scopes, takes=takes, gives=gives, step=step, named=named)


OPERATIONS: Final = (
    _operation(
        "/search",
        Text(zh="检索统一目录", en="Search the catalogue"),
        _READS,
        SearchAsked,
        SearchAnswer,
        catalogue.search_catalogue,
    ),
    _operation(
        "/entries/{record_id}",
        Text(zh="读取条目", en="Read an entry"),
        _READS,
        Nothing,
        EntryAnswer,
        catalogue.read_entry,
        _RECORD,
    ),
    _operation(
        "/entries/{record_id}/history",
        Text(zh="条目的变更历史", en="History of an entry"),
        _READS,
        Nothing,
        HistoryAnswer,
        catalogue.read_history,
        _RECORD,
    ),
    _operation(
        "/entries/{record_id}/duplicates",
        Text(zh="与条目相似的条目", en="Entries that look alike"),
        _READS,
        Nothing,
        DuplicatesAnswer,
        catalogue.read_duplicates,
        _RECORD,
    ),
    _operation(
        "/sites", Text(zh="各站点状态", en="State of sites"), (Scope.SITES,), SitesAsked, SitesAnswer, county.list_sites
    ),
    _operation(
        "/sites/{site}",
        Text(zh="一个站点的状态", en="State of a site"),
        (Scope.SITES,),
        Nothing,
        SiteState,
        county.read_site,
        _SITE,
    ),
    _operation("/alarms", Text(zh="告警", en="Alarms"), (Scope.SITES,), AlarmsAsked, AlarmsAnswer, county.list_alarms),
    _operation(
        "/quarantine",
        Text(zh="隔离内容", en="What is in quarantine"),
        (Scope.DECISIONS,),
        Page,
        QuarantineAnswer,
        county.list_quarantine,
    ),
    _operation(
        "/decisions",
        Text(zh="“不是同一件”的判定", en="Decisions about look-alikes"),
        (Scope.DECISIONS,),
        Page,
        DecisionsAnswer,
        county.list_decisions,
    ),
    _operation(
        "/audit", Text(zh="审计日志", en="The audit log"), (Scope.AUDIT,), AuditAsked, AuditAnswer, county.list_audit
    ),
    _operation(
        "/search/live",
        Text(zh="实时检索各站点", en="Search the sites live"),
        _READS,
        LiveAsked,
        LiveAnswer,
        live.search_live,
    ),
    _operation(
        "/brakes",
        Text(zh="有待定大批变更的站点", en="Sites that hold mass changes"),
        (Scope.DECISIONS,),
        Nothing,
        BrakesAnswer,
        live.list_brakes,
    ),
    _operation(
        "/brakes/{site}",
        Text(zh="一个站点待定的大批变更", en="Mass changes that a site holds"),
        (Scope.DECISIONS,),
        Nothing,
        BrakesOfSite,
        live.read_brakes,
        _SITE,
    ),
    _operation(
        "/contradictions",
        Text(zh="历史冲突", en="Contradictions"),
        (Scope.DECISIONS,),
        ContradictionsAsked,
        ContradictionsAnswer,
        live.list_contradictions,
    ),
)
"""Every operation of ``/api/v1``."""
