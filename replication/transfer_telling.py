"""The steps of a transfer as people read them, the same at both ends. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final

from protocol.transfers import (
    Cancelled,
    Checking,
    Closed,
    Counted,
    CustodyMoved,
    Decided,
    Loaded,
    Opened,
    Prepared,
    Ruled,
    Ruling,
    SentBack,
    SignatureRefused,
    Signed,
    Submitted,
    What,
)
from protocol.wording import Count, Text

RULINGS: Final = {
    Ruling.ACCEPT: Text(zh="接收", en="accept"),
    Ruling.RETURN: Text(zh="退回", en="return"),
    Ruling.HOLD: Text(zh="暂缓", en="hold"),
}


def told(what: What) -> Text:
    """Return one step in a line."""
    return _TOLD[type(what)](what)


def _ruled(what: Ruled) -> Text:
    counts = Counter(one.ruling for one in what.rulings)
    return Text(
        zh="裁定：" + "，".join(f"{RULINGS[one].zh} {count} 条" for one, count in counts.items()),
        en="ruled: " + ", ".join(f"{RULINGS[one].en} {count}" for one, count in counts.items()),
    )


def _with(zh: str, en: str, reason: str | Text) -> Text:
    said = Text(zh=reason, en=reason) if isinstance(reason, str) else reason
    return Text(zh=f"{zh}：{said.zh}" if said.zh else zh, en=f"{en}: {said.en}" if said.en else en)


_TOLD: Final[Mapping[type, Callable[[Any], Text]]] = {
    Opened: lambda one: _with("发起移交", "begun", one.title),
    Prepared: lambda one: Text(
        zh=f"第 {one.parcel.round} 批打包：{one.parcel.items} 条，{one.parcel.files} 个文件",
        en=f"round {one.parcel.round} packed: {Count(one.parcel.items):item|items},"
        f" {Count(one.parcel.files):file|files}",
    ),
    Submitted: lambda one: Text(zh=f"第 {one.round} 批提交", en=f"round {one.round} submitted"),
    Checking: lambda one: Text(
        zh=f"第 {one.round} 批文件到齐，逐个核对摘要无误", en=f"round {one.round}: every file is here and verified"
    ),
    Counted: lambda one: Text(zh=f"清点实物 {len(one.boxes)} 盒", en=f"{Count(len(one.boxes)):box|boxes} counted"),
    Ruled: _ruled,
    Decided: lambda one: _with(f"第 {one.round} 批审定", f"round {one.round} decided", one.opinion),
    Signed: lambda one: _with("签署交接文据", "certificate signed", one.signer),
    SignatureRefused: lambda one: _with("签字未被接受", "signature refused", one.reason),
    CustodyMoved: lambda one: Text(
        zh=f"{one.records} 条改由接收单位保管", en=f"custody of {Count(one.records):record|records} has moved"
    ),
    Loaded: lambda one: _with("入库，登记号", "loaded", one.accession),
    Closed: lambda _: Text(zh="办结", en="closed"),
    Cancelled: lambda one: _with("取消", "cancelled", one.reason),
    SentBack: lambda one: _with(f"第 {one.round} 批整包退回", f"round {one.round} sent back", one.reason),
}
