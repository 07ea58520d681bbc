"""What a handed-over item must bring besides its files: opening opinion, disclosure attribute, secrecy state. Pure.

Records that a national archive takes over come with the holder's opinion on opening (档案法 articles 15 and 30), with
the disclosure attribute that their maker gave them, and with their secrecy settled; an item without them is refused.
Records that are kept on behalf of a village stay the village's to release and need no opinion.
"""

from protocol.transfers import Nature
from protocol.vocabularies import AccessStatus, Secrecy
from protocol.wording import Text

_REVIEW = Text(
    zh="没有开放审核意见：请在目录“开放标识”列填写，或在 transfer new 用 --opening 说明",
    en="no opening opinion: fill the column 开放标识, or say it with --opening at transfer new",
)
_REASON = Text(
    zh="不开放却没有说明理由：请填写控制或延期的理由",
    en="not to be opened, and no reason given: say why it is restricted or deferred",
)
_DISCLOSURE = Text(
    zh="没有公开属性：请在目录“公开属性”列填写，或用 --disclosure 说明",
    en="no disclosure attribute: fill the column 公开属性, or say it with --disclosure",
)
_SECRECY = Text(zh="标有密级的档案不得进入本系统", en="a classified record must not travel in this system")


def missing_opinions(
    nature: Nature, *, access_status: str, access_reason: str, disclosure: str, secrecy: str
) -> list[Text]:
    """Return what an item lacks to be handed over, in plain words; nothing if it has all."""
    missing = []
    if secrecy and secrecy not in (Secrecy.NONE.value, Secrecy.INTERNAL.value, "内部"):
        missing.append(_SECRECY)
    if not nature.needs_review:
        return missing
    if access_status in ("", AccessStatus.UNREVIEWED.value):
        missing.append(_REVIEW)
    elif access_status != AccessStatus.OPEN.value and not access_reason.strip():
        missing.append(_REASON)
    if not disclosure:
        missing.append(_DISCLOSURE)
    return missing
