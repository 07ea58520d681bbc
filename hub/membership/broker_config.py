"""What the broker is told: its configuration, and who may say and hear what. Pure text, nothing is written here.

Everybody is in one account, ARCH, and is known by an NKey. Rights of one node (of site S), and of nobody but it:

    | publishes                    | why                                                     |
    |------------------------------|---------------------------------------------------------|
    | dl.evt.S                     | its frames; JetStream acknowledges into its own inbox   |
    | dl.beat.S                    | its signs of life                                       |
    | dl.rsp.S.>                   | its answers: the subject proves who answered            |
    | dl.fetch.S                   | a new node asks for what the hub holds of its site      |
    | dl.drawn.S.*                 | pieces of the files that it has offered                 |

    | hears                        | why                                                     |
    |------------------------------|---------------------------------------------------------|
    | dl.ask.all.*                 | calls to every site                                     |
    | dl.ask.S.*                   | calls to it alone                                       |
    | dl.rcpt.S                    | the hub's receipts and wishes                           |
    | dl.held.S                    | what the hub holds of its site                          |
    | dl.draw.S                    | which of its offered files are wanted                   |
    | _INBOX_S.>                   | acknowledgements of what it published                   |

A node has no right to ``$JS.API.>``: it cannot look into the stream, change it or read from it. The hub's own key has
every right in the account; the commands beside the daemon use the same key.

One hole remains in any broker with JetStream: whoever may publish to a stream may name *any* subject for the
acknowledgement, and the server sends it there with its own rights. Named ``$JS.API.STREAM.PURGE.…``, that
acknowledgement empties the stream of a server which reads requests loosely. ``strict: true`` closes it: an
acknowledgement is no well-formed request of anything. A county with a broker of its own must have 2.12 or newer with
``strict`` on. What is left are acknowledgements on foreign ``dl.`` subjects, which no reader takes for a message.
"""

import json
import re
from collections.abc import Iterable

import msgspec

from hub.config import HubConfig
from hub.home import HubHome
from protocol import subjects
from protocol.errors import BadValue
from protocol.sites import Site
from protocol.wording import Text
from replication.connection import inbox_prefix

ACCOUNT = "ARCH"

PAYLOAD_BYTES_MAX = 1024 * 1024
"""Bytes of one message: four times the largest frame."""

PING_S = 20
"""Seconds between the broker's pings; with two unanswered, a dead link is noticed within a minute (default: six)."""

PING_MAX = 2
"""Unanswered pings after which a connection is cut."""

WRITE_DEADLINE_S = 10
"""Seconds that a client may leave the broker's bytes unread before it is cut as too slow."""

HANDSHAKE_S = 5
"""Seconds for TLS, and again for the proof of the key."""

SUBSCRIPTIONS_MAX = 1_000
"""Subscriptions of one connection: a node needs five, the hub a dozen."""

MEMORY_STORE_MIB = 64
"""MiB of streams in memory; there are none, but the server wants a number."""

LOG_BYTES_MAX = 10 * 1024 * 1024
"""Bytes of the broker's log before it begins a new file."""

LOG_FILES_MAX = 5
"""Old log files that the broker keeps."""

_PUBLIC_KEY = re.compile(r"U[A-Z2-7]{55}")


class Rights(msgspec.Struct, frozen=True, kw_only=True):
    """Subjects that an identity may use; wildcards as the broker reads them."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def rights_of(site: Site) -> Rights:
    """Return what a node of ``site`` may do: the table above."""
    return Rights(
        publish=(
            subjects.events(site),
            subjects.beat(site),
            subjects.replies_of(site),
            subjects.fetch(site),
            subjects.drawn_of(site),
        ),
        subscribe=(
            subjects.ASK_ALL,
            subjects.ask_every(site),
            subjects.receipt(site),
            subjects.held(site),
            subjects.draw(site),
            f"{inbox_prefix(site)}.>",
        ),
    )


def server_name(config: HubConfig, hub_key: str) -> str:
    """Return the name by which this hub's broker tells itself from any other server on the port."""
    return f"danglian-{config.site.county}-{hub_key[-8:]}"


def broker_text(home: HubHome, config: HubConfig, hub_key: str) -> str:
    """Return the text of ``broker.conf``."""
    broker = config.broker
    listen = f"[{broker.host}]:{broker.port}" if ":" in broker.host else f"{broker.host}:{broker.port}"
    return f"""\
# Written by danglian-hub at every start; change hub.toml instead.
server_name: {_quoted(server_name(config, hub_key))}
listen: {_quoted(listen)}
tls {{
  cert_file: {_quoted(home.server.as_posix())}
  key_file: {_quoted(home.server_key.as_posix())}
  timeout: {HANDSHAKE_S}
}}
authorization {{ timeout: {HANDSHAKE_S} }}
max_payload: {PAYLOAD_BYTES_MAX}
max_connections: {broker.connections_max}
max_subscriptions: {SUBSCRIPTIONS_MAX}
ping_interval: "{PING_S}s"
ping_max: {PING_MAX}
write_deadline: "{WRITE_DEADLINE_S}s"
log_file: {_quoted(home.broker_log.as_posix())}
logfile_size_limit: {LOG_BYTES_MAX}
logfile_max_num: {LOG_FILES_MAX}
pid_file: {_quoted(home.broker_pid.as_posix())}
{_jetstream_text(home, broker.store_mib_max)}accounts {{
  {ACCOUNT} {{
    jetstream: enabled
    include {_quoted(home.broker_users.name)}
  }}
  SYS {{ users: [] }}
}}
system_account: SYS
"""


def _jetstream_text(home: HubHome, store_mib_max: int) -> str:
    return f"""\
jetstream {{
  store_dir: {_quoted(home.broker_store.as_posix())}
  max_memory_store: {MEMORY_STORE_MIB}MB
  # Named, because the default is a share of what happens to be free at the start.
  max_file_store: {store_mib_max}MB
  # An acknowledged frame is on the disk; up to 500 events share one fsync.
  sync_interval: always
  strict: true
}}
"""


def users_text(hub_key: str, nodes: Iterable[tuple[str, Site]]) -> str:
    """Return the text of ``users.conf``: the hub, and each node's public key with the rights of its site.

    Raises:
        BadValue: a key is not a public NKey.

    """
    lines = ["# Written by danglian-hub whenever a node is enrolled or revoked.", "users: ["]
    lines.append(f"  {{ nkey: {_key(hub_key)} }}")
    for public_key, site in sorted(nodes):
        rights = rights_of(site)
        lines.append(
            f"  {{ nkey: {_key(public_key)}, permissions: {{"
            f" publish: {{ allow: {_listed(rights.publish)} }},"
            f" subscribe: {{ allow: {_listed(rights.subscribe)} }} }} }}"
        )
    return "\n".join([*lines, "]", ""])


def is_public_key(text: str) -> bool:
    """Tell whether a text has the form of a user's public NKey."""
    return _PUBLIC_KEY.fullmatch(text) is not None


def _key(public_key: str) -> str:
    # Nothing but a key reaches the file: a text with a brace in it could grant rights.
    if not is_public_key(public_key):
        raise BadValue(Text(zh="公钥格式不对。", en=f"not a public NKey: {public_key[:60]!r}"))
    return public_key


def _listed(names: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(name) for name in names) + "]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
