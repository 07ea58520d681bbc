"""What of the hub the console reaches beside its store: the sites, and the door at which they enrol."""

import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from hub.alarm.health import Health
from hub.config import HubConfig
from hub.home import HubHome
from hub.keeping.keeping_settings import HoldingSettings
from hub.membership.certificates import door_fingerprint
from hub.staff.oidc_provider import Provider, provider_of
from hub.transfers.office import receiver_log
from hub.web.window_parts import WindowParts
from hub.window.certificate_settings import CertificateSettings
from hub.window.copy_orders import CopyRoutes
from hub.window.dispute_table import dispute_table
from hub.window.in_force import InForce
from hub.window.lookups import LookupDesk
from hub.window.rule_table import rule_table
from hub.window.statements import Maker
from hub.window.working_days import official
from protocol.bundles import hub_fingerprint
from protocol.sites import Site, parse_site
from replication.asking import Asker
from replication.county_key import read_county_key
from replication.keys import load_identity
from replication.transfer_log import TransferLog


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


class Receiving(msgspec.Struct, frozen=True, kw_only=True):
    """With what the console works on transfers."""

    log: TransferLog
    home: Path
    """Below it lie the packages."""
    unit: str
    """Full name of the receiver, as it stands in the papers."""
    archive: Site
    holdings: HoldingSettings = HoldingSettings()
    certificates: CertificateSettings = CertificateSettings()
    """With which fonts the papers are written."""


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """What is there; a part that is missing is said so on the page that would use it."""

    asker: Asker | None = None
    door: DoorSigns | None = None
    receiving: Receiving | None = None
    window: WindowParts = WindowParts()
    provider: Provider | None = None
    """By which persons may sign in beside their passwords."""
    health: Callable[[], Awaitable[Health]] | None = None
    """How the hub is, as monitors ask."""


def reach_of(
    config: HubConfig, home: HubHome, asker: Asker, lookups: LookupDesk, healthy: Callable[[], Awaitable[Health]]
) -> Reach:
    """Return what the daemon's console reaches.

    Raises:
        BadSetting: the secret for the provider of identities cannot be read.

    """
    host = config.hosts[0] if config.hosts else "127.0.0.1"
    door = DoorSigns(
        fingerprint=door_fingerprint(home),
        courier_fingerprint=hub_fingerprint(load_identity(home.hub_seed).public_key),
        address=f"[{host}]:{config.enrolment.port}" if ":" in host else f"{host}:{config.enrolment.port}",
        code_days=config.enrolment.code_days,
    )
    receiving = Receiving(
        log=receiver_log(home),
        home=home.root,
        unit=config.name,
        archive=parse_site(config.county),
        holdings=config.holdings,
        certificates=config.certificates,
    )
    return Reach(
        receiving=receiving,
        asker=asker,
        door=door,
        window=_window_parts(config, home, lookups),
        provider=provider_of(config.web.oidc, home.root, time.monotonic),
        health=healthy,
    )


def _window_parts(config: HubConfig, home: HubHome, lookups: LookupDesk) -> WindowParts:
    return WindowParts(
        county_key=read_county_key(home.county_key),
        terms=config.window,
        calendar=official(config.alarms.calendar),
        rules=InForce(rule_table(home), time.monotonic).current,
        lookups=lookups,
        home=home,
        maker=Maker(county=config.county, county_name=config.name, identity=load_identity(home.hub_seed)),
        routes=CopyRoutes(county=config.county, deputies=config.certificates.deputies),
        disputes=InForce(dispute_table(home), time.monotonic).current,
    )
