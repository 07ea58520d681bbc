"""Enrolment by courier, the node's half: an application on a stick, and the hub's reply that answers it.

The key is made here and never leaves, and neither does the code: the application only proves that it is known. What the
code says of the hub is kept until the reply comes, so that a reply of any other hub is refused.
"""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path

import msgspec

from node import config
from node.enrolment import Enrolled, Installation, check_folder, identity_of, store
from node.home import NodeHome
from protocol.bundles import FORMAT, BundleFault, Manifest, Party, Reply, hub_fingerprint
from protocol.enrolment import FINGERPRINT_BYTES, EnrolmentCode
from protocol.errors import BadBundle, BadSetting, BadValue
from protocol.wording import Text
from replication.bundles import write_bundle
from replication.carriage import Written, target_in
from replication.courier_codes import applied, opened_admission
from replication.files import PRIVATE_MODE, write_whole
from replication.keys import Identity, load_identity

PENDING = "applied.json"
"""File in the home that stands there between application and admission."""


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What a node that has applied must remember."""

    hub_fingerprint: bytes
    folder: str = ""
    """The folder to watch, if it is not the one in the home."""


def apply(
    home: NodeHome,
    code: EnrolmentCode,
    installation: Installation,
    place: Path,
    entropy: Callable[[int], bytes],
    now_ms: int,
) -> Written:
    """Write an application; doing it again writes the same for the same key.

    Raises:
        BadSetting: the home's files are damaged, or the folder to watch does not exist.
        StorageFull, Retryable: the stick has no room, or cannot be written.

    """
    check_folder(installation)
    site = config.load(home.settings).site if home.settings.exists() else ""
    identity = identity_of(home, entropy)
    manifest = Manifest(
        format=FORMAT,
        sender=Party(site=site, key=identity.public_key),
        receiver=Party(site="", key=""),
        serial=now_ms,
        made_at_ms=now_ms,
        content=applied(
            code,
            identity.public_key,
            name=installation.name,
            home_site=site,
            software=f"danglian {importlib.metadata.version('danglian')}",
        ),
    )
    folder = "" if installation.folder is None else str(installation.folder.absolute())
    pending = Pending(hub_fingerprint=code.fingerprint, folder=folder)
    write_whole(home.root / PENDING, msgspec.json.encode(pending), mode=PRIVATE_MODE)
    target = target_in(place, f"application-{identity.public_key[:8]}", now_ms)
    return Written(file=str(target), site=site, size_bytes=write_bundle(target, manifest, identity))


def pending_in(home: NodeHome) -> Pending | None:
    """Return what a node that has applied remembers, or None if it waits for nothing.

    Raises:
        BadSetting: the note is damaged.

    """
    try:
        pending = msgspec.json.decode((home.root / PENDING).read_bytes(), type=Pending)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise _spoilt(home, error) from error
    if len(pending.hub_fingerprint) != FINGERPRINT_BYTES:
        raise _spoilt(home, ValueError("fingerprint"))
    return pending


def is_admission_for(pending: Pending, identity: Identity, manifest: Manifest) -> bool:
    """Tell whether a bundle is the answer of the hub whose code was used, to this installation."""
    return (
        isinstance(manifest.content, Reply)
        and bool(manifest.content.admission)
        and manifest.receiver.key == identity.public_key
        and hub_fingerprint(manifest.sender.key) == pending.hub_fingerprint
    )


def admitted(home: NodeHome, pending: Pending, manifest: Manifest, reply: Reply) -> Enrolled:
    """Make this home a node with the admission of a reply; doing it again changes nothing.

    Raises:
        BadBundle: the reply is of another hub than the code names, for another installation, or damaged.
        BadSetting: the home's files are damaged.

    """
    identity = load_identity(home.seed)
    if not is_admission_for(pending, identity, manifest):
        raise _not_the_answer()
    try:
        admission = opened_admission(reply.admission, identity)
    except BadValue as error:
        raise _not_the_answer() from error
    if admission.hub_key != manifest.sender.key or admission.site != manifest.receiver.site:
        raise _not_the_answer()
    is_new = not home.settings.exists()
    if not is_new and config.load(home.settings).site != admission.site:
        raise _not_the_answer()
    folder = Path(pending.folder) if pending.folder else None
    store(home, admission, Installation(folder=folder))
    (home.root / PENDING).unlink(missing_ok=True)
    return Enrolled(
        admission=admission, public_key=identity.public_key, is_new=is_new, folder=folder or home.catalogues
    )


def _not_the_answer() -> BadBundle:
    return BadBundle(
        BundleFault.FOREIGN_HUB,
        Text(
            zh="这不是本机登记申请的答复：县级枢纽或电脑与登记码不符。",
            en="it does not answer this PC's application: hub or installation are not those of the code",
        ),
        Text(
            zh="请核对 U 盘上的文件；若确实来自县档案馆，请向其索取新的登记码并重新申请。",
            en="Check the file. If it does come from the county archive, ask for a new code and apply again.",
        ),
    )


def _spoilt(home: NodeHome, error: Exception) -> BadSetting:
    return BadSetting(
        Text(zh=f"读不出 {home.root / PENDING}：{error}", en=f"cannot read {home.root / PENDING}: {error}"),
        Text(
            zh="请重新运行 danglian-node init --courier 写出申请。",
            en="Write the application again: danglian-node init --courier.",
        ),
    )
