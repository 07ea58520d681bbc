"""Enrolment, the node's half: from an empty folder and a one-time code to a node that its county knows.

- The key is made here and never leaves; only its public half is sent.
- The certificate at the hub's door is compared with the code before a byte is sent: whoever stands in between gets
  nothing.
- Everything can be repeated: a power cut after the hub's yes is healed by typing the same command again, because the
  same key with the same code brings the same answer. ``node.toml`` is written last, and never over an existing one.
"""

import asyncio
import contextlib
import hmac
import json
import ssl
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec

from node import config, restoration
from node.home import CATALOGUES, NodeHome
from protocol.enrolment import (
    ENROLMENT_PORT,
    Admission,
    Application,
    Denial,
    EnrolmentCode,
    decode_decision,
    encode,
    fingerprint_of,
    signed_words,
)
from protocol.errors import BadSetting, BadValue, LinkDown, Permanent, Refused
from protocol.limits import ENROLMENT_DECISION_BYTES_MAX
from protocol.wording import Text
from replication.county_key import write_county_key
from replication.files import PRIVATE_FOLDER_MODE, write_whole
from replication.keys import Identity, load_identity, new_seed, write_seed
from replication.retry import Backoff, Pause

CONNECT_S = 8.0
"""Seconds to reach the door, TLS handshake included: a village line takes one or two."""

CONVERSATION_S = 30.0
"""Seconds for one whole conversation with the door."""

PATIENCE_S = 20.0
"""Seconds for which a busy or restarting door is tried again."""

_RETRIES = Backoff(first_s=0.5, ceiling_s=4.0)
_CLOSE_S = 2.0
_HOST_FORMS = "HOST, HOST:PORT, [IPV6]:PORT"


class DoorAddress(msgspec.Struct, frozen=True, kw_only=True):
    """Where the hub's enrolment door is."""

    host: str
    port: int = ENROLMENT_PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """What the person at the node says of it."""

    name: str = ""
    """What the site calls this PC."""
    folder: Path | None = None
    """The folder to watch; None means the one in the home."""
    software: str = ""


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    admission: Admission
    public_key: str
    is_new: bool
    """Whether ``node.toml`` was written now."""
    folder: Path


def parse_door(text: str) -> DoorAddress:
    """Read the address of the door as somebody typed it.

    Raises:
        BadValue: no host, or no port number.

    """
    host, port = text.strip(), ""
    if host.startswith("["):
        host, _, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    if not host or (port and not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16)):
        raise BadValue(
            Text(zh=f"不是有效的县级枢纽地址：{text!r}", en=f"not an address: {text!r}"),
            Text(zh=f"写法：{_HOST_FORMS}", en=f"Write {_HOST_FORMS}"),
        )
    return DoorAddress(host=host, port=int(port)) if port else DoorAddress(host=host)


async def enrol(
    home: NodeHome,
    door: DoorAddress,
    code: EnrolmentCode,
    installation: Installation,
    entropy: Callable[[int], bytes],
    patience_s: float = PATIENCE_S,
) -> Enrolled:
    """Make this home a node of the site that the code is for; doing it again changes nothing.

    Raises:
        Refused: the door is not the hub that issued the code, or it says no.
        LinkDown: the door could not be reached.
        BadSetting: the home's files are damaged, or the folder to watch does not exist.

    """
    check_folder(installation)
    site = config.load(home.settings).site if home.settings.exists() else ""
    identity = identity_of(home, entropy)
    application = Application(
        secret=code.secret,
        public_key=identity.public_key,
        signature=identity.sign(signed_words(code.secret, identity.public_key, code.fingerprint)),
        name=installation.name,
        site=site,
        software=installation.software,
    )
    admission = await _admission(door, code, application, patience_s)
    store(home, admission, installation)
    folder = installation.folder or home.catalogues
    return Enrolled(admission=admission, public_key=identity.public_key, is_new=not site, folder=folder)


def check_folder(installation: Installation) -> None:
    """See that the folder to watch exists.

    Raises:
        BadSetting: it does not.

    """
    if installation.folder is not None and not installation.folder.is_dir():
        raise BadSetting(
            Text(zh=f"要监看的目录不存在：{installation.folder}", en=f"no such folder: {installation.folder}"),
            Text(zh="请先建立该目录，再运行本命令。", en="Make it first, then run this again."),
        )


async def ask_door(door: DoorAddress, code: EnrolmentCode, application: Application) -> Admission | Denial:
    """Hold one conversation.

    Raises:
        Refused: the door's certificate is not the one in the code; nothing was sent.
        BadSetting: whoever listens there is no enrolment door.
        BadValue: the answer cannot be read.
        LinkDown: nobody listens there, or the conversation broke off.

    """
    try:
        async with asyncio.timeout(CONVERSATION_S), _conversation(door, code) as (reader, writer):
            writer.write(encode(application))
            await writer.drain()
            return decode_decision(await reader.readuntil())
    except asyncio.LimitOverrunError as error:
        raise BadValue(Text(zh="县级枢纽的答复过长。", en="the hub's answer is too long")) from error
    except ssl.SSLEOFError as error:
        raise _unreachable(door, error) from error
    except ssl.SSLError as error:
        raise BadSetting(
            Text(zh=f"{door} 不是县级枢纽的登记端口。", en=f"no enrolment door at {door}"),
            Text(
                zh=f"请核对地址和端口；登记端口通常是 {ENROLMENT_PORT}。",
                en=f"Check the address; the door's port usually is {ENROLMENT_PORT}.",
            ),
        ) from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise _unreachable(door, error) from error


async def _admission(door: DoorAddress, code: EnrolmentCode, application: Application, patience_s: float) -> Admission:
    loop, pause = asyncio.get_running_loop(), Pause(_RETRIES)
    until_s = loop.time() + patience_s
    while True:
        try:
            decision = await ask_door(door, code, application)
        except LinkDown:
            if loop.time() >= until_s:
                raise
            await pause.wait()
            continue
        if isinstance(decision, Denial):
            raise Refused(decision.reason, decision.hint)
        return decision


@contextlib.asynccontextmanager
async def _conversation(
    door: DoorAddress, code: EnrolmentCode
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    # No authority is asked: the code itself says which certificate is the right one.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    async with asyncio.timeout(CONNECT_S):
        reader, writer = await asyncio.open_connection(
            door.host, door.port, ssl=context, limit=ENROLMENT_DECISION_BYTES_MAX, ssl_shutdown_timeout=_CLOSE_S
        )
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        if not hmac.compare_digest(fingerprint_of(shown), code.fingerprint):
            raise Refused(
                Text(
                    zh=f"{door} 出示的证书与登记码不符，未发送任何内容。",
                    en=f"{door} shows another certificate than the code names; nothing was sent",
                ),
                Text(
                    zh="请核对地址。若地址无误，可能有人冒充县级枢纽，请告知县档案馆。",
                    en="Check the address. If it is right, somebody may pose as the hub: tell the county archive.",
                ),
            )
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def _unreachable(door: DoorAddress, error: Exception) -> LinkDown:
    what = str(error) or type(error).__name__
    return LinkDown(
        Text(zh=f"连不上县级枢纽 {door}：{what}", en=f"cannot reach the hub at {door}: {what}"),
        Text(
            zh="请检查网络和地址，并确认县级枢纽正在运行，然后重新运行同一条命令。",
            en="Check network and address, see that the hub runs, then run the same command again.",
        ),
    )


def identity_of(home: NodeHome, entropy: Callable[[int], bytes]) -> Identity:
    """Return this home's key, made now if there is none."""
    if home.seed.exists():
        try:
            return load_identity(home.seed)
        except Permanent:
            if home.settings.exists():
                raise
            # Cut off while it was being written: it was never sent, so nobody knows it.
            home.seed.unlink()
    home.seed.parent.mkdir(mode=PRIVATE_FOLDER_MODE, parents=True, exist_ok=True)
    write_seed(home.seed, new_seed(entropy(32)))
    return load_identity(home.seed)


def store(home: NodeHome, admission: Admission, installation: Installation) -> None:
    """Store what an admission brings; ``node.toml`` comes last, and never over an existing one."""
    write_whole(home.authority, admission.broker_ca.encode("ascii"))
    write_county_key(home.county_key, admission.county_key)
    if installation.folder is None:
        home.catalogues.mkdir(parents=True, exist_ok=True)
    if not home.settings.exists():
        if admission.records_held:
            restoration.request(home)
        write_whole(home.settings, settings_text(admission, installation.folder).encode("utf-8"))


def settings_text(admission: Admission, folder: Path | None) -> str:
    """Return the text of a new ``node.toml``."""
    urls = ", ".join(_quoted(url) for url in admission.broker_urls)
    path = CATALOGUES if folder is None else str(folder.absolute())
    return f"""\
# 本文件由 danglian-node init 生成，可以修改；各项设置见 deploy/node.example.toml。
# Written by danglian-node init, yours to change; deploy/node.example.toml explains every setting.

# 站点代码与名称 / the site's code and name
site = {_quoted(admission.site)}
name = {_quoted(admission.site_name or admission.site)}

# 县级枢纽 / the county's hub: {_printable(admission.county_name)}
[hub]
urls = [{urls}]
key = {_quoted(admission.hub_key)}

# 监看的目录：把目录表格放进去即可 / the watched folder: drop catalogue spreadsheets there
[[folders]]
path = {_quoted(path)}
"""


def _quoted(text: str) -> str:
    return json.dumps(_printable(text), ensure_ascii=False)


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isprintable())
