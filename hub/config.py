"""The hub's settings: ``hub.toml`` in its home, read once at start; unknown or wrong settings stop the program.

``deploy/hub.example.toml`` explains each one to the person who sets it.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from hub import web_settings
from hub.alarm import alarm_settings
from hub.alarm.alarm_settings import ESCALATION, MISSED_AFTER_MINUTES, NEVER_SEEN_AFTER_HOURS, AlarmSettings
from hub.backup import backup_settings
from hub.backup.backup_settings import BackupSettings
from hub.home import HubHome
from hub.keeping import keeping_settings
from hub.keeping.keeping_settings import HoldingSettings
from hub.web_settings import WebSettings
from hub.window import certificate_settings
from hub.window import settings as window_settings
from hub.window.certificate_settings import CertificateSettings
from hub.window.settings import WindowSettings
from protocol.enrolment import BROKER_PORT, ENROLMENT_PORT
from protocol.errors import BadValue
from protocol.rhythms import TIME_ZONE
from protocol.sites import Site, SiteRank, parse_site
from protocol.wording import Text
from replication import transfer_settings
from replication.parts import PARTS_MAX
from replication.settings import SettingsFile
from replication.streams import EVENTS, STREAM_BYTES_MAX, StreamPlan
from replication.transfer_settings import TransferSettings

CONNECTIONS_MAX = 2_000
"""Connections that the broker accepts: 232 sites, their reconnects, and commands, many times over."""

STORE_MIB_MAX = 20 * 1024
"""MiB of event stream on the hub's disk: a county's whole history of changes is under a tenth of that."""

STORE_MIB_MIN = 8 * 1024
"""MiB that the stream of events reserves (``replication.streams``); with less the broker refuses to make it."""

STREAM_GIB = STREAM_BYTES_MAX // 1024**3
"""GiB of the stream of events at a broker of somebody else's, unless the settings give it more."""

STREAM_GIB_MAX = 4096
"""GiB that the stream may be given: beyond a disk."""

CODE_DAYS = 7
"""Days that an enrolment code stays good: a village clerk comes in once a week."""

CODE_DAYS_MAX = 90
"""Days that a code may stay good at most: a slip of paper that opens the county must not lie about for a year."""

NIGHT_HOUR = 1
"""Hour of local time at which the nightly checks begin unless the settings say otherwise."""

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - named to be recognised, not bound

_Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
# What may not stand in a part as it is would be taken for the beginning of the next: half of a password for a host.
_DATABASE_URL = re.compile(
    r"postgres(ql)?://"
    r"((?:[^\s@/?#%]|%[0-9A-Fa-f]{2})*@)?"
    r"((\[[0-9A-Fa-f:.%]+\]|[^\s@/?#:,]*)(:\d*)?(,|(?=[/?]|$)))*"
    r"(/[^\s@/?]*)?"
    r"(\?[^\s=&?]+=[^\s&]*(&[^\s=&]+=[^\s&]*)*)?"
)
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")


class BrokerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The broker that the hub starts itself."""

    host: str = EVERYWHERE[0]
    port: _Port = BROKER_PORT
    connections_max: Annotated[int, msgspec.Meta(ge=10, le=65_536)] = CONNECTIONS_MAX
    store_mib_max: Annotated[int, msgspec.Meta(ge=STORE_MIB_MIN)] = STORE_MIB_MAX


class ExternalBroker(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """A broker that somebody else runs; the hub then starts none."""

    urls: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    ca_file: str
    """Certificates that vouch for it; relative to the home."""
    replicas: Literal[1, 3, 5] = 1
    """Copies of the stream: 3 in a cluster of three servers or more, one of which may then be lost."""
    stream_gib: Annotated[int, msgspec.Meta(ge=STREAM_GIB, le=STREAM_GIB_MAX)] = STREAM_GIB
    """GiB that the stream of events may take on each of its servers: what all sites describe anew within two weeks."""


class EnrolmentSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """The door where new nodes show their code."""

    host: str = EVERYWHERE[0]
    port: _Port = ENROLMENT_PORT
    code_days: Annotated[int, msgspec.Meta(ge=1, le=CODE_DAYS_MAX)] = CODE_DAYS


class VerificationSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """When the hub checks all that it holds against its sites."""

    night_hour: Annotated[int, msgspec.Meta(ge=0, le=23)] = NIGHT_HOUR
    """Hour of local time at which the nightly checks begin; the sites' turns are spread over the hours after it."""


class DatabaseSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """Where the catalogue is kept."""

    url: str = ""
    """Address of PostgreSQL as libpq reads it; empty: the file ``hub.db`` in the home."""


class WorkerSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """How several hubs of one county or province share the work; each runs on a home of its own."""

    parts: Annotated[int, msgspec.Meta(ge=1, le=PARTS_MAX)] = 1
    """Parts that the sites are divided into; the same at all workers. 1: this hub is alone."""


class HubConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"):
    """All settings of a hub."""

    county: str
    """Site code of the county archive."""
    name: str
    hosts: tuple[str, ...] = ()
    """Names and addresses under which the sites reach this machine; they stand in its certificate."""
    broker: BrokerSettings = BrokerSettings()
    enrolment: EnrolmentSettings = EnrolmentSettings()
    verification: VerificationSettings = VerificationSettings()
    external_broker: ExternalBroker | None = None
    alarms: AlarmSettings = AlarmSettings()
    backup: BackupSettings = BackupSettings()
    holdings: HoldingSettings = HoldingSettings()
    database: DatabaseSettings = DatabaseSettings()
    workers: WorkerSettings = WorkerSettings()
    web: WebSettings = WebSettings()
    window: WindowSettings = WindowSettings()
    certificates: CertificateSettings = CertificateSettings()
    transfers: TransferSettings = TransferSettings()

    @property
    def site(self) -> Site:
        """The county archive itself."""
        return parse_site(self.county)

    @property
    def certified_hosts(self) -> tuple[str, ...]:
        """Every name that the broker's certificate must bear, this machine's own ones included."""
        listening = (self.broker.host,) if self.broker.host not in EVERYWHERE else ()
        return tuple(dict.fromkeys((*self.hosts, *listening, "localhost", "127.0.0.1")))

    @property
    def node_urls(self) -> tuple[str, ...]:
        """Where nodes find the broker."""
        if self.external_broker is not None:
            return self.external_broker.urls
        reachable = self.hosts or ((self.broker.host,) if self.broker.host not in EVERYWHERE else ("127.0.0.1",))
        return tuple(broker_url(host, self.broker.port) for host in reachable)

    @property
    def hub_urls(self) -> tuple[str, ...]:
        """Where the hub itself finds the broker."""
        if self.external_broker is not None:
            return self.external_broker.urls
        host = "127.0.0.1" if self.broker.host in EVERYWHERE else self.broker.host
        return (broker_url(host, self.broker.port),)

    @property
    def events(self) -> StreamPlan:
        """How the stream of events shall be."""
        external = self.external_broker
        if external is None:
            return EVENTS
        return msgspec.structs.replace(EVENTS, replicas=external.replicas, bytes_max=external.stream_gib * 1024**3)

    def broker_ca(self, home: HubHome) -> Path:
        """Return the file of certificates that vouch for the broker."""
        return home.authority if self.external_broker is None else home.root / self.external_broker.ca_file


def broker_url(host: str, port: int) -> str:
    """Return the address that a client connects to; an IPv6 address is put in brackets."""
    return f"tls://[{host}]:{port}" if ":" in host else f"tls://{host}:{port}"


def load(path: Path) -> HubConfig:
    """Read ``hub.toml``.

    Raises:
        BadSetting: the file is missing, is no TOML, or a setting is unknown, missing or wrong; names the setting.

    """
    return parse(SETTINGS.text(path), path.name)


def parse(text: str, file_name: str = "hub.toml") -> HubConfig:
    """Read settings from text.

    Raises:
        BadSetting: as ``load``.

    """
    config = SETTINGS.read(text, HubConfig, file_name)
    _check_county(config, file_name)
    _check_hosts(config, file_name)
    _check_shared(config, file_name)
    amiss = (
        alarm_settings.fault_of(config.alarms)
        or backup_settings.fault_of(config.backup)
        or keeping_settings.fault_of(config.holdings)
        or web_settings.fault_of(config.web)
        or certificate_settings.fault_of(config.certificates)
        or transfer_settings.fault_of(config.transfers)
    )
    if amiss is not None:
        raise SETTINGS.bad(file_name, *amiss)
    return config


EXAMPLES = {
    "county": 'county = "330523000000"',
    "name": 'name = "某县档案馆"',
    "hosts": 'hosts = ["archive.county.example", "10.20.30.40"]',
    "broker.host": 'host = "0.0.0.0"',
    "broker.port": f"port = {BROKER_PORT}",
    "broker.connections-max": f"connections-max = {CONNECTIONS_MAX}",
    "broker.store-mib-max": f"store-mib-max = {STORE_MIB_MAX}",
    "enrolment.host": 'host = "0.0.0.0"',
    "enrolment.port": f"port = {ENROLMENT_PORT}",
    "enrolment.code-days": f"code-days = {CODE_DAYS}",
    "verification.night-hour": f"night-hour = {NIGHT_HOUR}",
    "alarms.missed-after-minutes": f"missed-after-minutes = {MISSED_AFTER_MINUTES}",
    "alarms.never-seen-after-hours": f"never-seen-after-hours = {NEVER_SEEN_AFTER_HOURS}",
    "alarms.folder-unread-days": "folder-unread-days = 3.0",
    "alarms.bundle-overdue-days": "bundle-overdue-days = 14.0",
    "alarms.office-hours": 'office-hours = ["1-5 09:00-11:30", "1-5 14:00-17:00"]',
    "alarms.holidays": "holidays = [2026-10-01, 2026-10-02]",
    "alarms.workdays": "workdays = [2026-10-10]",
    "alarms.time-zone": f'time-zone = "{TIME_ZONE}"',
    "alarms.escalation.who": 'who = "township"',
    "alarms.escalation.after-hours": f"after-hours = {ESCALATION[1].after_hours}",
    "alarms.contacts": 'contacts = { "330523108000" = "0572-5000000" }',
    "external-broker.urls": 'urls = ["tls://nats.county.example:4222"]',
    "external-broker.ca-file": 'ca-file = "tls/nats-ca.pem"',
    "external-broker.replicas": "replicas = 3",
    "external-broker.stream-gib": "stream-gib = 64",
    "workers.parts": "parts = 16",
    "database.url": 'url = "postgresql://danglian@db.county.example/danglian?sslmode=verify-full"',
    **backup_settings.EXAMPLES,
    **keeping_settings.EXAMPLES,
    **web_settings.EXAMPLES,
    **window_settings.EXAMPLES,
    **certificate_settings.EXAMPLES,
    **transfer_settings.EXAMPLES,
}
"""Every setting with a line that would be right."""

SETTINGS = SettingsFile(
    program="danglian-hub",
    explained_in="deploy/hub.example.toml",
    examples=EXAMPLES,
    writing=Text(zh="例如：port = 4222；文字要加英文双引号。", en='For example: port = 4222; texts stand in "quotes".'),
)


def _check_county(config: HubConfig, file_name: str) -> None:
    try:
        rank = config.site.rank
    except BadValue as error:
        raise SETTINGS.bad(file_name, "county", error.reason) from error
    if rank is not SiteRank.COUNTY:
        fault = Text(zh=f"{config.county} 不是县级代码", en=f"{config.county} is not a county's code")
        raise SETTINGS.bad(file_name, "county", fault)
    if not config.name.strip():
        raise SETTINGS.bad(file_name, "name", Text(zh="不能为空", en="is empty"))


def _check_shared(config: HubConfig, file_name: str) -> None:
    if config.database.url and not is_database_url(config.database.url):
        # The address itself is not repeated: it may hold a password.
        wrong_url = Text(zh=f"不是 PostgreSQL 地址（{ESCAPED.zh}）", en=f"is no address of PostgreSQL ({ESCAPED.en})")
        raise SETTINGS.bad(file_name, "database.url", wrong_url)
    if config.workers.parts > 1 and config.external_broker is None:
        alone = Text(zh="多个工作进程须共用外部消息服务器", en="several workers need one broker that all of them reach")
        raise SETTINGS.bad(file_name, "workers.parts", alone, "external-broker.urls")


def _check_hosts(config: HubConfig, file_name: str) -> None:
    named = {"hosts": config.hosts, "broker.host": (config.broker.host,), "enrolment.host": (config.enrolment.host,)}
    for setting, hosts in named.items():
        for host in hosts:
            if not is_host(host) or (setting == "hosts" and host in EVERYWHERE):
                fault = Text(zh=f"{host!r} 不是主机名或地址", en=f"{host!r} is no host")
                raise SETTINGS.bad(file_name, setting, fault)


ESCAPED = Text(
    zh="密码中的 @ : / ? # % 须写成 %40 %3A %2F %3F %23 %25",
    en="within a password @ : / ? # % are written %40 %3A %2F %3F %23 %25",
)


def is_database_url(text: str) -> bool:
    """Tell whether a text is an address of PostgreSQL that can be read in one way only."""
    return _DATABASE_URL.fullmatch(text) is not None


def is_host(text: str) -> bool:
    """Tell whether a text is an IP address or a host name in ASCII."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None and not text.replace(".", "").isdigit()
    return True
