"""What an order for a copy is: its states in words, what a clerk wishes, how it stands and what can be done next."""

import uuid
from collections.abc import Mapping
from enum import StrEnum
from uuid import UUID

import msgspec

from protocol.copies import CopyAsked, CopyDecided, Product, SealGiven
from protocol.wording import Text

SILENT_AFTER_MS = 2 * 24 * 3600 * 1000
"""Milliseconds after which a holder that has not decided is called silent: the window says what else can be done."""

NOBODY = Text(zh="", en="")


class CopyState(StrEnum):
    """Where an order stands."""

    ASKED = "asked"
    APPROVED = "approved"
    REFUSED = "refused"
    DRAWING = "drawing"
    READY = "ready"
    SIGNED = "signed"
    ISSUED = "issued"
    FAILED = "failed"
    WITHDRAWN = "withdrawn"


STATES: Mapping[CopyState, Text] = {
    CopyState.ASKED: Text(zh="已发往保管单位，待审批", en="sent to the holder, not decided yet"),
    CopyState.APPROVED: Text(zh="已批准，准备调取", en="approved, about to be fetched"),
    CopyState.REFUSED: Text(zh="保管单位不同意", en="refused by the holder"),
    CopyState.DRAWING: Text(zh="正在调取页面", en="its pages are being fetched"),
    CopyState.READY: Text(zh="已制成，待保管单位签章", en="made, waiting for the holder's seal"),
    CopyState.SIGNED: Text(zh="已签章，可打印", en="sealed, ready to print"),
    CopyState.ISSUED: Text(zh="已出具", en="issued"),
    CopyState.FAILED: Text(zh="未能制成", en="could not be made"),
    CopyState.WITHDRAWN: Text(zh="窗口已撤回", en="withdrawn by the window"),
}

OPEN = (CopyState.ASKED, CopyState.APPROVED, CopyState.DRAWING)
"""States in which the window still waits for something."""


class CopyWish(msgspec.Struct, frozen=True, kw_only=True):
    """What the clerk asks for; ``copy_id`` is made by the client, so that a repeated submit is one order."""

    request_id: UUID
    record_id: UUID
    product: Product
    purpose: str
    case_no: str
    requester: str
    """Kind of the requester by the request's rules; never a name."""
    copy_id: UUID = msgspec.field(default_factory=uuid.uuid4)
    site: str = ""
    """Whose record, where two sites claim the same id."""
    pages: tuple[int, ...] = ()
    facts: tuple[str, ...] = ()
    basis: str = ""
    replaces: str = ""


class CopyRoutes(msgspec.Struct, frozen=True, kw_only=True):
    """Who decides for whom."""

    county: str
    deputies: Mapping[str, str] = {}
    """Village without staff → the site whose keeper decides for it."""


class CopyStep(msgspec.Struct, frozen=True, kw_only=True):
    """One line of an order's history."""

    at_ms: int
    state: CopyState
    who: str
    """A login; or the site that decided."""
    note: str


class CopyOrder(msgspec.Struct, frozen=True, kw_only=True):
    """One order as it stands."""

    asked: CopyAsked
    keeper: str
    """The site that decides: the holder, or its deputy."""
    state: CopyState
    decision: CopyDecided | None
    seal: SealGiven | None
    """The holder's signature under the PDF, until the PDF bears it."""
    reason: Text
    """Why it was refused or failed."""
    hint: Text
    """What can be done then."""
    done_bytes: int
    total_bytes: int
    asked_by: str
    asked_at_ms: int
    changed_at_ms: int

    @property
    def copy_id(self) -> UUID:
        """Its name."""
        return self.asked.copy_id

    def is_silent(self, now_ms: int) -> bool:
        """True if the holder has not decided for so long that the window should do something else."""
        return self.state is CopyState.ASKED and now_ms - self.asked_at_ms >= SILENT_AFTER_MS

    def told(self, now_ms: int) -> tuple[Text, Text]:
        """Return in plain words where it stands, and what can be done next."""
        if self.is_silent(now_ms):
            return STATES[self.state], _SILENT
        if self.reason.zh:
            stands = STATES[self.state]
            return Text(zh=f"{stands.zh}：{self.reason.zh}", en=f"{stands.en}: {self.reason.en}"), self.hint
        return STATES[self.state], _NEXT.get(self.state, NOBODY)


_SILENT = Text(
    zh="该站多日未答复：可电话催办、设置代办乡镇，或撤回后向其他保管单位提出。",
    en="The site has not answered for days: call it, name a deputy for it, or withdraw and ask another holder.",
)
UNSEALED = Text(
    zh="二维码已含保管单位签名，可以出具；需要电子签章时请重新提出。",
    en="Its QR code bears the holder's signature: it can be issued; if a sealed PDF is needed, order it again.",
)
_NEXT: Mapping[CopyState, Text] = {
    CopyState.ASKED: Text(
        zh="等保管单位审批；离线的站点联网后即收到。", en="Wait: a site that is offline gets it on return."
    ),
    CopyState.APPROVED: Text(zh="自动调取，请稍候。", en="It is fetched by itself."),
    CopyState.DRAWING: Text(
        zh="断线后自动接着传；用信使包的站点随下一个 U 盘送来。",
        en="It goes on by itself after a break of the line; a site that comes by courier brings it on its next stick.",
    ),
    CopyState.READY: Text(
        zh="自动签章；急用时可先出具，二维码已含保管单位签名。",
        en="It is sealed by itself; if it is urgent, issue it now: its QR code bears the holder's signature.",
    ),
    CopyState.SIGNED: Text(zh="请打印并登记用纸。", en="Print it and note the sheets."),
    CopyState.ISSUED: Text(zh="已办结；有误可撤销并重开。", en="Done; if it is wrong, revoke and replace it."),
    CopyState.WITHDRAWN: Text(zh="可重新提出。", en="It can be ordered again."),
}
