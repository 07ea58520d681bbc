"""The words of transfers that people read at both ends: states, natures, and what is to be done next."""

from typing import Final

from protocol.transfer_folds import Transfer
from protocol.transfers import Nature, Side, TransferState
from protocol.wording import Text
from replication.transfer_items import ItemState

STATES: Final = {
    TransferState.PLANNED: Text(zh="已立项", en="planned"),
    TransferState.PREPARED: Text(zh="已打包", en="prepared"),
    TransferState.SUBMITTED: Text(zh="已提交", en="submitted"),
    TransferState.CHECKING: Text(zh="审核中", en="being checked"),
    TransferState.RETURNED: Text(zh="有退回", en="returned in part"),
    TransferState.ACCEPTED: Text(zh="已通过，待签字", en="accepted, to be signed"),
    TransferState.SIGNED: Text(zh="双方已签", en="signed by both"),
    TransferState.LOADED: Text(zh="已入库", en="loaded"),
    TransferState.CLOSED: Text(zh="已办结", en="closed"),
    TransferState.CANCELLED: Text(zh="已取消", en="cancelled"),
}

NATURES: Final = {
    Nature.TRANSFER: Text(zh="移交", en="transfer"),
    Nature.DELEGATED_CUSTODY: Text(zh="代管", en="custody on behalf"),
    Nature.DEPOSIT: Text(zh="寄存", en="deposit"),
    Nature.DONATION: Text(zh="捐赠", en="donation"),
    Nature.PURCHASE: Text(zh="征购", en="purchase"),
}

ITEM_STATES: Final = {
    ItemState.CHOSEN: Text(zh="已选", en="chosen"),
    ItemState.CARRIED: Text(zh="在审", en="being looked at"),
    ItemState.ACCEPTED: Text(zh="接收", en="accepted"),
    ItemState.RETURNED: Text(zh="退回", en="returned"),
    ItemState.HELD: Text(zh="暂缓", en="held"),
    ItemState.LEFT_OUT: Text(zh="不移交", en="left out"),
    ItemState.MOVED: Text(zh="已交接", en="handed over"),
}

SIDES: Final = {
    Side.GIVER: Text(zh="移交单位", en="giver"),
    Side.RECEIVER: Text(zh="接收单位", en="receiver"),
}

_GIVER: Final = {
    TransferState.PLANNED: Text(zh="运行 transfer check 打包并检测。", en="Run transfer check."),
    TransferState.PREPARED: Text(zh="运行 transfer send 提交。", en="Run transfer send."),
    TransferState.RETURNED: Text(
        zh="按“要改”各条修改目录或扫描件，再运行 transfer check 和 send；只会带上退回的条目。",
        en="Mend what is listed, then check and send again: only the returned items travel.",
    ),
    TransferState.ACCEPTED: Text(zh="运行 transfer sign 签署交接文据。", en="Sign with transfer sign."),
    TransferState.SIGNED: Text(
        zh="节点正在改记保管单位，请保持运行。", en="The node is moving custody: keep it running."
    ),
}
_RECEIVER: Final = {
    TransferState.SUBMITTED: Text(zh="枢纽正在提取文件。", en="The hub draws the files."),
    TransferState.CHECKING: Text(
        zh="检测完成后逐条裁定：transfer return、hold，再 transfer accept。",
        en="Once the checks have run: transfer return or hold, then transfer accept.",
    ),
    TransferState.ACCEPTED: Text(zh="运行 transfer sign 签署。", en="Sign with transfer sign."),
    TransferState.SIGNED: Text(zh="等目录显示新的保管单位，自动入库。", en="Loaded as soon as the catalogue shows it."),
    TransferState.LOADED: Text(zh="自动办结。", en="Closed by itself."),
}


def advice(now: Transfer, side: Side) -> Text:
    """Return what is to be done next, as it is said at one end."""
    if now.turn is None:
        return Text(zh="已结束，无需操作。", en="Nothing is left to be done.")
    if now.turn is not side:
        whom = SIDES[now.turn]
        return Text(zh=f"等待{whom.zh}办理。", en=f"Waiting for the {whom.en}.")
    return (_GIVER if side is Side.GIVER else _RECEIVER)[now.state]
