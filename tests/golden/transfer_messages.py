"""The golden messages of transfers, protocol 1.4: the steps, sealed as letters carry them, and the receiving plan."""

import datetime
from uuid import UUID

import msgspec

from protocol.receiving_plans import PlannedLine, PlanTold
from protocol.transfers import (
    BoxCount,
    Cancelled,
    Checking,
    Closed,
    Counted,
    CustodyMoved,
    Decided,
    ItemRuling,
    Loaded,
    Nature,
    Opened,
    Parcel,
    Party,
    Prepared,
    Quantity,
    Ruled,
    Ruling,
    SealedStep,
    SentBack,
    Side,
    SignatureRefused,
    Signed,
    Step,
    StepsWanted,
    Submitted,
    What,
)
from protocol.wording import Text

TRANSFER = UUID(int=7)
REASON = Text(zh="第 2 页模糊", en="page 2 is blurred")
GIVER = Party(site="330523108000", name="某镇人民政府", leader="甲", handler="乙")
RECEIVER = Party(site="330523000000", name="某县档案馆", leader="丙", handler="丁")


def step(side: Side, what: What, number: int = 2) -> Step:
    """A step of a side."""
    return Step(
        transfer=TRANSFER,
        side=side,
        number=number,
        heard=3,
        previous="ab" * 32 if number > 1 else "",
        at_ms=1_790_000_000_000,
        by="keeper",
        what=what,
    )


_OPENED = Opened(
    title="2011 年文书档案",
    nature=Nature.TRANSFER,
    giver=GIVER,
    receiver=RECEIVER.site,
    plan=UUID(int=8),
    copy_kept_until=datetime.date(2031, 12, 31),
    note="含婚姻登记",
)
_PARCEL = Parcel(
    round=1,
    items=6,
    files=20,
    size_bytes=123_456,
    manifest="cd" * 32,
    package_digest="ef" * 32,
    fonds=("001",),
    year_first=2010,
    year_last=2011,
    quantities=(Quantity(category="marriage", items=6, volumes=1),),
    boxes=1,
    volumes=2,
)
_SIGNED = Signed(certificate="12" * 32, key="U" + "A" * 55, signature=b"\x01" * 64, signer="甲")
_RULING = ItemRuling(record_id=UUID(int=9), ruling=Ruling.RETURN, reason=REASON)
_ACCEPTED = ItemRuling(record_id=UUID(int=10), ruling=Ruling.ACCEPT, archive_code="001-2011-0001")

TRANSFER_MESSAGES: dict[str, msgspec.Struct] = {
    "transfer-opened": step(Side.GIVER, _OPENED, 1),
    "transfer-prepared": step(Side.GIVER, Prepared(parcel=_PARCEL, checks_passed=5, checks_open=1)),
    "transfer-submitted": step(
        Side.GIVER, Submitted(round=1, consignment=UUID(int=11), manifest="cd" * 32, list_digest="34" * 32)
    ),
    "transfer-checking": step(Side.RECEIVER, Checking(round=1, manifest="cd" * 32), 1),
    "transfer-counted": step(Side.RECEIVER, Counted(boxes=(BoxCount(box="12", expected=2, seen=1, shelf="3-2-1"),))),
    "transfer-ruled": step(Side.RECEIVER, Ruled(round=1, rulings=(_RULING, _ACCEPTED))),
    "transfer-decided": step(
        Side.RECEIVER,
        Decided(
            round=1,
            receiver=RECEIVER,
            opinion="同意接收",
            dated=datetime.date(2026, 11, 23),
            is_final=True,
            items_digest="56" * 32,
        ),
    ),
    "transfer-signed": step(Side.GIVER, _SIGNED),
    "transfer-signature-refused": step(Side.RECEIVER, SignatureRefused(reason=REASON)),
    "transfer-custody-moved": step(Side.GIVER, CustodyMoved(records=5, epoch="5f3a9c01d2e4b687", position=42)),
    "transfer-loaded": step(Side.RECEIVER, Loaded(accession="2026-0007")),
    "transfer-closed": step(Side.RECEIVER, Closed()),
    "transfer-cancelled": step(Side.GIVER, Cancelled(reason="误选")),
    "transfer-sent-back": step(Side.RECEIVER, SentBack(round=1, reason=REASON)),
    "transfer-sealed": SealedStep(step=b'{"transfer":"x"}', key="U" + "A" * 55, seal=b"\x02" * 64),
    "transfer-steps-wanted": StepsWanted(transfer=TRANSFER, giver=2, receiver=1),
    "receiving-plan": PlanTold(
        year=2026,
        lines=(PlannedLine(plan=UUID(int=8), year=2026, kind="marriage", records=6, year_first=2010, year_last=2015),),
    ),
}
"""By the name of the file in ``v1.4``."""
