"""Writing the county's public key list from the keyring and the register."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from hub.membership import keyring
from hub.window.copy_tables import certificate
from hub.window.serials import Fate
from protocol.county_time import day_of
from protocol.errors import BadValue
from protocol.key_lists import CertifyingKey, KeyList, RevokedCertificate, encode_list, seal_list, signed_message
from protocol.wording import Text
from replication.keys import Identity, raw_public_key


def key_list(
    connection: Connection, county: str, name: str, hub_key: str, deputies: Mapping[str, str], now_ms: int
) -> KeyList:
    """Return the list as it is now: every key that ever was enrolled, and every certificate that was revoked."""
    names = keyring.site_names(connection)
    deputy_of: dict[str, list[str]] = {}
    for site, deputy in sorted(deputies.items()):
        deputy_of.setdefault(deputy, []).append(site)
    ours = CertifyingKey(key=hub_key, raw=raw_public_key(hub_key).hex(), site=county, name=name, is_county=True)
    keys = [
        CertifyingKey(
            key=one.public_key,
            raw=raw_public_key(one.public_key).hex(),
            site=one.site,
            name=names.get(one.site, one.site),
            deputy_of=tuple(deputy_of.get(one.site, ())),
            until=None if one.revoked_at_ms is None else day_of(one.revoked_at_ms),
        )
        for one in keyring.nodes(connection, with_revoked=True)
    ]
    statement = select(certificate.c.serial, certificate.c.ended_at_ms, certificate.c.replaced_by)
    revoked = statement.where(certificate.c.state == Fate.REVOKED.value).order_by(certificate.c.serial)
    return KeyList(
        county=county,
        name=name,
        as_of_ms=now_ms,
        keys=(ours, *keys),
        revoked=tuple(
            RevokedCertificate(serial=row.serial, on=day_of(row.ended_at_ms), replaced_by=row.replaced_by)
            for row in connection.execute(revoked)
        ),
    )


def signed(listed: KeyList, identity: Identity) -> bytes:
    """Return the file of a list, signed by the hub.

    Raises:
        BadValue: the list is another county's.

    """
    if not any(one.key == identity.public_key and one.is_county for one in listed.keys):
        raise BadValue(Text(zh="公钥表不是本枢纽的。", en="the list is not this hub's"))
    text = encode_list(listed)
    return seal_list(text, identity.public_key, identity.sign(signed_message(text)))
