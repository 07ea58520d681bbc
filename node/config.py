"""The node's settings: ``node.toml`` in its home, read once at start; unknown or wrong settings stop the program.

``deploy/node.example.toml`` explains each one to the person who sets it.
"""

import re
import zoneinfo
from pathlib import Path
from typing import Annotated

import msgspec

from node.catalogues.fields import Field
from node.home import CATALOGUES, SCANS, NodeHome
from node.night_window import parse_window
from protocol.code_guesses import Dialect
from protocol.errors import BadValue
from protocol.limits import HEARTBEAT_S, OFFICE_HOURS_MAX
from protocol.lookup_policy import NO_KIND, Treatment
from protocol.reference_codes import CodeProfile, CodeSegment, SegmentKind
from protocol.rhythms import TIME_ZONE, Rhythm, parse_hours
from protocol.sites import Site, parse_site
from protocol.vocabularies import LIVELIHOOD_KINDS, AccessStatus, Level
from protocol.wording import Text
from replication import transfer_settings
from replication.settings import SettingsFile
from replication.transfer_settings import TransferSettings

SETTLE_S = 2.0
"""Seconds between the two looks that must agree before a file on a local disk is read."""

NETWORK_SETTLE_S = 10.0
"""The same on a network drive, where sizes and times lag behind."""

RESCAN_MINUTES = 15.0
"""Minutes between two walks through all folders; the watcher's hints are quicker, but not complete."""

BRAKE_ROWS = 50
"""Rows of one file that may vanish at once without a question."""

BRAKE_SHARE = 0.05
"""Share of a file's rows that may vanish at once without a question, where that is more than ``BRAKE_ROWS``."""

OFFICE_HOURS = ("1-5 09:00-11:30", "1-5 14:00-17:00")
"""When a site that does not say otherwise is expected to be heard: the hours that all offices have in common."""

_SEGMENT = re.compile(r"([a-z_]+)(?::(\d{1,2}))?")


class _Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How every table of the file is read."""


class BrokerLink(_Settings, frozen=True, kw_only=True):
    """How the hub is reached; written by init."""

    urls: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    key: str = ""
    """Public NKey of the hub."""


class BrakeBounds(_Settings, frozen=True, kw_only=True):
    """How much may vanish from one file without a question (promise 6)."""

    rows: Annotated[int, msgspec.Meta(ge=0)] = BRAKE_ROWS
    share: Annotated[float, msgspec.Meta(ge=0, le=1)] = BRAKE_SHARE


class ProfileSettings(_Settings, frozen=True, kw_only=True):
    """How one fonds and category numbers its records."""

    id: str
    fonds_no: str = ""
    category: str = ""
    year_from: int | None = None
    year_to: int | None = None
    dialect: Dialect = Dialect.DAT13_2022
    segments: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    """Names of the parts in their order, each with its usual number of digits if it has one: ``item_no:4``."""

    def profile(self) -> CodeProfile:
        """Return the profile; raises ValueError for a segment or pattern that is none."""
        return CodeProfile(
            id=self.id,
            fonds_no=self.fonds_no,
            category=self.category,
            year_from=self.year_from,
            year_to=self.year_to,
            dialect=self.dialect,
            segments=tuple(_segment(written) for written in self.segments),
        )


class FolderSettings(_Settings, frozen=True, kw_only=True):
    """One watched folder, and what its catalogues leave unsaid."""

    path: str = CATALOGUES
    """Relative to the home, or absolute."""
    network_drive: bool = False
    level: Level | None = None
    """Level of description of rows that do not say; None leaves it to what their sheet looks like."""
    fonds_no: str = ""
    livelihood_kind: str = ""
    owner: str = ""
    custodian: str = ""
    releaser: str = ""
    columns: dict[str, str] = {}
    """Field to header, where the header is not recognised by itself."""
    code_profiles: tuple[ProfileSettings, ...] = ()

    def place(self, home: NodeHome) -> Path:
        """Return where the folder is."""
        return (home.root / self.path).absolute()

    @property
    def profiles(self) -> tuple[CodeProfile, ...]:
        """The code profiles of this folder."""
        return tuple(written.profile() for written in self.code_profiles)


class ScanSettings(_Settings, frozen=True, kw_only=True):
    """One folder in which scans lie: for each record a folder named by its reference code."""

    path: str = SCANS
    """Relative to the home, or absolute."""

    def place(self, home: NodeHome) -> Path:
        """Return where the folder is."""
        return (home.root / self.path).absolute()


class RhythmSettings(_Settings, frozen=True, kw_only=True):
    """When the site promises the county to be heard."""

    office_hours: Annotated[tuple[str, ...], msgspec.Meta(max_length=OFFICE_HOURS_MAX)] = OFFICE_HOURS
    """As ``1-5 08:30-17:30``; empty: round the clock."""
    time_zone: str = TIME_ZONE
    heartbeat_s: Annotated[float, msgspec.Meta(ge=5, le=HEARTBEAT_S)] = HEARTBEAT_S

    @property
    def promised(self) -> Rhythm:
        """The rhythm as it travels; raises BadValue for hours that are none."""
        hours = tuple(parse_hours(written) for written in self.office_hours)
        return Rhythm(hours=hours, time_zone=self.time_zone, heartbeat_s=self.heartbeat_s)


class CarriageSettings(_Settings, frozen=True, kw_only=True):
    """How files leave for the county: transfers, and pages of approved copies."""

    rate_kib_s: Annotated[int, msgspec.Meta(ge=0, le=1024 * 1024)] = 0
    """KiB a second at most; 0: as fast as the line allows."""
    hours: str = ""
    """As ``22:00-06:00``, for transfers; empty: round the clock."""


class PolicyRuleSettings(_Settings, frozen=True, kw_only=True):
    """One rule about what a lookup is told; an empty part lets everything through."""

    treatment: Treatment
    kinds: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    requesters: tuple[str, ...] = ()
    access: tuple[AccessStatus, ...] = ()


class PolicySettings(_Settings, frozen=True, kw_only=True):
    """What lookups of the county are told of this site's records (promise 8)."""

    rules: tuple[PolicyRuleSettings, ...] = ()
    """Before the county's defaults; the first that fits decides."""


class NodeConfig(_Settings, frozen=True, kw_only=True):
    """All settings of a node."""

    site: str
    """Site code of the institution."""
    name: str
    """What people call the institution."""
    hub: BrokerLink
    settle_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = SETTLE_S
    network_settle_s: Annotated[float, msgspec.Meta(gt=0, le=600)] = NETWORK_SETTLE_S
    rescan_minutes: Annotated[float, msgspec.Meta(gt=0, le=24 * 60)] = RESCAN_MINUTES
    brake: BrakeBounds = BrakeBounds()
    rhythm: RhythmSettings = RhythmSettings()
    carriage: CarriageSettings = CarriageSettings()
    policy: PolicySettings = PolicySettings()
    transfers: TransferSettings = TransferSettings()
    folders: Annotated[tuple[FolderSettings, ...], msgspec.Meta(min_length=1)] = (FolderSettings(),)
    scans: Annotated[tuple[ScanSettings, ...], msgspec.Meta(min_length=1)] = (ScanSettings(),)

    @property
    def parsed_site(self) -> Site:
        """The institution's place in the county."""
        return parse_site(self.site)

    def settle_of(self, folder: FolderSettings) -> float:
        """Return the seconds after which a file of this folder has settled."""
        return self.network_settle_s if folder.network_drive else self.settle_s


def _segment(written: str) -> CodeSegment:
    found = _SEGMENT.fullmatch(written)
    if found is None:
        message = f"not a segment: {written!r}"
        raise ValueError(message)
    return CodeSegment(kind=SegmentKind(found[1]), width=int(found[2] or 0))


def load(path: Path) -> NodeConfig:
    """Read ``node.toml``.

    Raises:
        BadSetting: the file is missing, is no TOML, or a setting is unknown, missing or wrong; names the setting.

    """
    return parse(SETTINGS.text(path), path.name)


def parse(text: str, file_name: str = "node.toml") -> NodeConfig:
    """Read settings from text.

    Raises:
        BadSetting: as ``load``.

    """
    config = SETTINGS.read(text, NodeConfig, file_name)
    _check(config, file_name)
    return config


EXAMPLES = {
    "site": 'site = "330523108204"',
    "name": 'name = "某村档案室"',
    "settle-s": f"settle-s = {SETTLE_S}",
    "network-settle-s": f"network-settle-s = {NETWORK_SETTLE_S}",
    "rescan-minutes": f"rescan-minutes = {RESCAN_MINUTES}",
    "hub": '[hub] urls = ["tls://archive.county.example:4222"]',
    "hub.urls": 'urls = ["tls://archive.county.example:4222"]',
    "hub.key": 'key = "U…"',
    "brake.rows": f"rows = {BRAKE_ROWS}",
    "brake.share": f"share = {BRAKE_SHARE}",
    "rhythm.office-hours": 'office-hours = ["1-5 08:30-12:00", "1-5 13:30-17:30"]',
    "rhythm.time-zone": f'time-zone = "{TIME_ZONE}"',
    "rhythm.heartbeat-s": f"heartbeat-s = {HEARTBEAT_S}",
    "scans": '[[scans]] path = "scans"',
    "scans.path": 'path = "scans"',
    "carriage.rate-kib-s": "rate-kib-s = 100",
    "carriage.hours": 'hours = "22:00-06:00"',
    **transfer_settings.EXAMPLES,
    "policy.rules": '[[policy.rules]] treatment = "existence"',
    "policy.rules.treatment": 'treatment = "existence"',
    "policy.rules.kinds": 'kinds = ["marriage", "petitions"]',
    "policy.rules.purposes": 'purposes = ["research"]',
    "policy.rules.requesters": 'requesters = ["person", "agent"]',
    "policy.rules.access": 'access = ["restricted", "deferred"]',
    "folders": '[[folders]] path = "catalogues"',
    "folders.path": 'path = "catalogues"',
    "folders.network-drive": "network-drive = true",
    "folders.level": 'level = "item"',
    "folders.fonds-no": 'fonds-no = "001"',
    "folders.livelihood-kind": 'livelihood-kind = "forest_contracts"',
    "folders.owner": 'owner = "330523108204"',
    "folders.custodian": 'custodian = "330523108000"',
    "folders.releaser": 'releaser = "330523108204"',
    "folders.columns": 'columns = { title = "文件名", ref_code = "顺序编号" }',
    "folders.code-profiles": 'segments = ["fonds_no", "category_code", "filing_year", "retention_code", "item_no:4"]',
}
"""Every setting with a line that would be right."""

SETTINGS = SettingsFile(
    program="danglian-node",
    explained_in="deploy/node.example.toml",
    examples=EXAMPLES,
    writing=Text(
        zh="例如：settle-s = 2.0；文字要加英文双引号，Windows 路径用单引号：path = 'D:\\目录'。",
        en="For example: settle-s = 2.0; texts stand in \"quotes\", Windows paths in 'single ones'.",
    ),
)


def _check(config: NodeConfig, file_name: str) -> None:
    _check_site(file_name, "site", config.site)
    if not config.name.strip():
        raise SETTINGS.bad(file_name, "name", Text(zh="不能为空", en="is empty"))
    _check_rhythm(config.rhythm, file_name)
    _check_carriage(config.carriage, file_name)
    _check_policy(config.policy, file_name)
    if (amiss := transfer_settings.fault_of(config.transfers)) is not None:
        raise SETTINGS.bad(file_name, *amiss)
    seen: set[Path] = set()
    for index, folder in enumerate(config.folders):
        at = f"folders[{index}]"
        for setting, code in (("owner", folder.owner), ("custodian", folder.custodian), ("releaser", folder.releaser)):
            if code:
                _check_site(file_name, f"{at}.{setting}", code)
        if folder.livelihood_kind and folder.livelihood_kind not in LIVELIHOOD_KINDS:
            known = ", ".join(LIVELIHOOD_KINDS)
            fault = Text(zh=f"没有这个民生档案种类；可用：{known}", en=f"no such kind; there are: {known}")
            raise SETTINGS.bad(file_name, f"{at}.livelihood-kind", fault)
        try:
            _ = folder.profiles
        except ValueError as error:
            raise SETTINGS.bad(
                file_name, f"{at}.code-profiles", Text(zh=f"规则不对（{error}）", en=str(error))
            ) from error
        unknown = sorted(set(folder.columns) - {field.value for field in Field})
        if unknown:
            known = ", ".join(field.value for field in Field)
            fault = Text(
                zh=f"没有栏目 {unknown[0]}；可用：{known}", en=f"there is no field {unknown[0]}; there are: {known}"
            )
            raise SETTINGS.bad(file_name, f"{at}.columns", fault)
        if Path(folder.path) in seen:
            raise SETTINGS.bad(
                file_name, f"{at}.path", Text(zh="同一目录写了两次", en="the same folder stands here twice")
            )
        seen.add(Path(folder.path))


def _check_carriage(carriage: CarriageSettings, file_name: str) -> None:
    try:
        parse_window(carriage.hours)
    except BadValue as error:
        raise SETTINGS.bad(file_name, "carriage.hours", error.reason) from error


def _check_policy(policy: PolicySettings, file_name: str) -> None:
    for index, rule in enumerate(policy.rules):
        unknown = sorted(set(rule.kinds) - {*LIVELIHOOD_KINDS, NO_KIND})
        if unknown:
            fault = Text(zh=f"没有民生档案种类 {unknown[0]}", en=f"there is no kind {unknown[0]}")
            raise SETTINGS.bad(file_name, f"policy.rules[{index}].kinds", fault)


def _check_rhythm(rhythm: RhythmSettings, file_name: str) -> None:
    try:
        _ = rhythm.promised
    except BadValue as error:
        raise SETTINGS.bad(file_name, "rhythm.office-hours", error.reason) from error
    try:
        zoneinfo.ZoneInfo(rhythm.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        fault = Text(zh=f"没有这个时区：{rhythm.time_zone}", en=f"there is no time zone {rhythm.time_zone}")
        raise SETTINGS.bad(file_name, "rhythm.time-zone", fault) from error


def _check_site(file_name: str, setting: str, code: str) -> None:
    try:
        parse_site(code)
    except BadValue as error:
        raise SETTINGS.bad(file_name, setting, error.reason) from error
