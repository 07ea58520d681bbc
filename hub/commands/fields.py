"""The words for the fields of a record and their values, as commands print them."""

from collections.abc import Mapping

from protocol.calls import Outcome
from protocol.events import WithdrawalCause
from protocol.vocabularies import AccessStatus
from protocol.wording import Text

FIELDS = {
    "title": Text(zh="题名", en="title"),
    "responsible_parties": Text(zh="责任者", en="responsible parties"),
    "doc_no": Text(zh="文号", en="document number"),
    "ref_code": Text(zh="档号", en="reference code"),
    "date": Text(zh="日期", en="date"),
    "date_raw": Text(zh="日期（原文）", en="date as given"),
    "date_edtf": Text(zh="日期（EDTF）", en="date (EDTF)"),
    "date_earliest": Text(zh="最早日期", en="earliest date"),
    "date_latest": Text(zh="最晚日期", en="latest date"),
    "scope": Text(zh="提要", en="scope and content"),
    "note": Text(zh="附注", en="note"),
    "aliases": Text(zh="其他档号", en="other codes"),
    "repository_id": Text(zh="著录单位", en="described by"),
    "level": Text(zh="级别", en="level"),
    "fonds_no": Text(zh="全宗号", en="fonds"),
    "category_code": Text(zh="门类", en="category"),
    "filing_year": Text(zh="年度", en="filing year"),
    "retention": Text(zh="保管期限", en="retention"),
    "secrecy": Text(zh="密级", en="secrecy"),
    "access_status": Text(zh="开放状态", en="access"),
    "livelihood_kind": Text(zh="民生类别", en="livelihood kind"),
    "parent_id": Text(zh="所在案卷", en="in volume"),
    "page_count": Text(zh="页数", en="pages"),
    "responsible_party": Text(zh="责任者", en="responsible parties"),
}

ACCESS = {
    AccessStatus.OPEN: Text(zh="开放", en="open"),
    AccessStatus.RESTRICTED: Text(zh="控制", en="restricted"),
    AccessStatus.DEFERRED: Text(zh="延期开放", en="deferred"),
    AccessStatus.UNREVIEWED: Text(zh="未审核", en="unreviewed"),
}

CAUSES: Mapping[str, Text] = {
    WithdrawalCause.ROW_VANISHED: Text(zh="目录中已无此行", en="no longer in the owner's catalogue"),
    WithdrawalCause.SECRECY_RAISED: Text(zh="密级提高，不再外传", en="its secrecy was raised"),
    WithdrawalCause.OWNER_DECISION: Text(zh="所有者撤回", en="withdrawn by its owner"),
    WithdrawalCause.NOT_IN_BASELINE: Text(zh="重新上报时未包含", en="not in the site's new baseline"),
    WithdrawalCause.NOT_HELD: Text(zh="核对时站点已无此条目", en="a comparison found that its site has no such record"),
}

OUTCOMES = {
    Outcome.ANSWERED: Text(zh="已答复", en="answered"),
    Outcome.NOTHING: Text(zh="无结果", en="nothing"),
    Outcome.REFUSED: Text(zh="拒绝", en="refused"),
    Outcome.FAILED: Text(zh="出错", en="failed"),
    Outcome.LATE: Text(zh="超时", en="late"),
    Outcome.OFFLINE: Text(zh="离线", en="offline"),
    Outcome.INDEX_ONLY: Text(zh="仅目录副本", en="index only"),
}


def cause_words(cause: str) -> Text:
    """Return the words for the cause of a withdrawal; one of a later version is named as its site named it."""
    return CAUSES.get(cause) or Text(
        zh=f"站点所述原因：{cause}", en=f"for a reason that this version does not know: {cause}"
    )


def field_word(field: str) -> Text:
    """Return the words for a field; one without words of its own keeps its name."""
    return FIELDS.get(field, Text(zh=field, en=field))
