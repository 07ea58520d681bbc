"""What goes wrong on a link, kept as facts that a status page can show.

The broker tells of a missing permission after the call has returned, a wrong key only by refusing, and a slow reader by
dropping messages: none of these has a caller to raise to. They are collected here, counted, and never grow without
bound. A fault names a subject or a server, never what a message said.
"""

import ssl
import traceback
from collections.abc import Callable
from enum import StrEnum

import msgspec

from protocol.wording import Text

FAULTS_KEPT_MAX = 64
"""Different faults that are remembered; the one that was quiet for longest goes first."""


class FaultKind(StrEnum):
    """What went wrong; the words for people are in ``MEANINGS``."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    AUTHENTICATION = "authentication"
    LINK_LOST = "link_lost"
    LINK_STALLED = "link_stalled"
    PUBLISH_DENIED = "publish_denied"
    SUBSCRIBE_DENIED = "subscribe_denied"
    MESSAGES_DROPPED = "messages_dropped"
    CONSUMER_REMADE = "consumer_remade"
    STREAM_UNAVAILABLE = "stream_unavailable"
    HANDLER_FAILED = "handler_failed"
    BAD_MESSAGE = "bad_message"
    FOREIGN_MESSAGE = "foreign_message"
    WRONG_ANSWER = "wrong_answer"
    UNKNOWN_QUESTION = "unknown_question"
    REPEATED_ANSWER = "repeated_answer"
    OTHER = "other"


DIAL_FAULTS = frozenset({FaultKind.UNREACHABLE, FaultKind.TLS, FaultKind.AUTHENTICATION})
"""Faults that say why there is no link; they are forgotten once there is one."""

MEANINGS = {
    FaultKind.UNREACHABLE: Text(
        zh="连不上县档案馆的服务器：请检查网络、地址和端口。",
        en="The county's server cannot be reached: check the network, the address and the port.",
    ),
    FaultKind.TLS: Text(
        zh="服务器的证书不被信任：请核对县档案馆发来的 CA 文件和服务器地址。",
        en="The server's certificate is not trusted: check the CA file from the county and the server's address.",
    ),
    FaultKind.AUTHENTICATION: Text(
        zh="服务器不认可本站的密钥：可能尚未登记或已被注销。",
        en="The server does not accept this site's key: it may not be enrolled yet, or was revoked.",
    ),
    FaultKind.LINK_LOST: Text(zh="与服务器的连接曾中断，已自动重连。", en="The link was lost; it is remade by itself."),
    FaultKind.LINK_STALLED: Text(
        zh="网络无响应，连接已主动切断并重连。", en="The network went silent; the link was cut and is remade."
    ),
    FaultKind.PUBLISH_DENIED: Text(
        zh="服务器不允许本站向该主题发布。", en="The server does not allow this site to publish to that subject."
    ),
    FaultKind.SUBSCRIBE_DENIED: Text(
        zh="服务器不允许本站订阅该主题。", en="The server does not allow this site to listen to that subject."
    ),
    FaultKind.MESSAGES_DROPPED: Text(
        zh="消息来得太快，部分被丢弃。", en="Messages came faster than they were handled; some were dropped."
    ),
    FaultKind.CONSUMER_REMADE: Text(
        zh="服务器上的读取位置丢失，已在正确位置重建。",
        en="The reading position on the server was lost and made again at the right place.",
    ),
    FaultKind.STREAM_UNAVAILABLE: Text(
        zh="服务器上的事件流暂不可用。", en="The event stream on the server cannot be used at present."
    ),
    FaultKind.HANDLER_FAILED: Text(
        zh="处理一条消息时程序出错，详见日志。", en="The program failed on a message; the log says where."
    ),
    FaultKind.BAD_MESSAGE: Text(zh="收到无法解读的消息，已忽略。", en="A message could not be read and was ignored."),
    FaultKind.FOREIGN_MESSAGE: Text(
        zh="消息内容自称来自别的站点，已忽略。", en="A message claimed to come from another site and was ignored."
    ),
    FaultKind.WRONG_ANSWER: Text(
        zh="应答与所提问题不符，已忽略。", en="An answer did not belong to the question asked and was ignored."
    ),
    FaultKind.UNKNOWN_QUESTION: Text(
        zh="收到无人提问的应答，已忽略。", en="An answer came to a question that nobody asked and was ignored."
    ),
    FaultKind.REPEATED_ANSWER: Text(
        zh="同一站点重复应答，可能有两台电脑在用同一站点身份。",
        en="One site answered twice; two PCs may be using its identity.",
    ),
    FaultKind.OTHER: Text(zh="服务器报告了其他错误。", en="The server reported another error."),
}


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of fault at one place, how often it happened, and when first and last (milliseconds since 1970)."""

    kind: FaultKind
    about: str
    """A subject (in lower case where the broker told it so), a server's address or a call's name; may be empty."""
    detail: str = ""
    """What the library or the broker said the last time; for the administrator, in English."""
    count: int = 1
    first_at_ms: int
    last_at_ms: int

    @property
    def meaning(self) -> Text:
        """Return what the fault means to a person, and what to look at."""
        return MEANINGS[self.kind]


class FaultLog:
    """The faults of one link, the latest last; the same kind at the same place is counted, not repeated."""

    def __init__(self, now_ms: Callable[[], int], on_fault: Callable[[Fault], None] | None = None) -> None:
        self._now_ms = now_ms
        self._on_fault = on_fault
        self._faults: dict[tuple[FaultKind, str], Fault] = {}

    @property
    def all(self) -> tuple[Fault, ...]:
        """Return every fault remembered."""
        return tuple(self._faults.values())

    def note(self, kind: FaultKind, about: str = "", detail: str = "") -> Fault:
        """Count a fault and return it with its count."""
        now_ms = self._now_ms()
        known = self._faults.pop((kind, about), None)
        fault = Fault(
            kind=kind,
            about=about,
            detail=detail,
            count=known.count + 1 if known else 1,
            first_at_ms=known.first_at_ms if known else now_ms,
            last_at_ms=now_ms,
        )
        self._faults[(kind, about)] = fault
        if len(self._faults) > FAULTS_KEPT_MAX:
            del self._faults[next(iter(self._faults))]
        if self._on_fault is not None:
            self._on_fault(fault)
        return fault

    def forget(self, kinds: frozenset[FaultKind]) -> None:
        """Drop faults that are over."""
        self._faults = {key: fault for key, fault in self._faults.items() if fault.kind not in kinds}


def kind_of_dial_error(error: BaseException) -> FaultKind:
    """Tell why a connection could not be opened."""
    if isinstance(error, ssl.SSLError):
        return FaultKind.TLS
    words = str(error).lower()
    if "authorization" in words or "authentication" in words:
        return FaultKind.AUTHENTICATION
    if isinstance(error, OSError | TimeoutError):
        return FaultKind.UNREACHABLE
    return FaultKind.OTHER


def place_of(error: BaseException) -> str:
    """Return what was raised and where, without what it says: messages of errors may quote content."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {frames[-1].filename.replace(chr(92), '/').rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{where}"
