"""The words of copies and certificates at the window: ordered, printed, spoilt, revoked."""

import msgspec


class CopiesWords(msgspec.Struct, frozen=True, kw_only=True):
    """Orders to holders and what comes of them."""

    title: str
    none: str
    order_title: str
    order_lead: str
    product: str
    pages: str
    pages_hint: str
    facts: str
    facts_hint: str
    basis: str
    send: str
    sent: str
    fetched: str
    asked_at: str
    withdraw: str
    withdrawn: str
    reason: str
    open_pdf: str
    first_sheet: str
    printer: str
    note_printed: str
    printed: str
    spoil_title: str
    sheet: str
    spoil: str
    spoiled: str
    sheets_of: str
    page: str
    revoke: str
    revoke_lead: str
    revoke_sure: str
    revoked: str
    replaced_by: str
    replace: str
    replacing: str
    balance: str
    balance_line: str
    skipped: str
    no_paper: str
    receive: str
    receive_first: str
    receive_last: str
    received: str
    no_record: str
    no_record_lead: str
    no_record_done: str


CHINESE = CopiesWords(
    title="复制件与证明",
    none="还没有申请复制件。",
    order_title="向保管单位申请复制件或证明",
    order_lead="由保管单位审批并签章，窗口只打印。单位离线时，联网后自动收到。",
    product="要什么",
    pages="页号",
    pages_hint="例如 1-3、5；不填即全部。",
    facts="要证明的事项（仅档案证明）",
    facts_hint="每行一项，只写要证明的，例如：承包期限",
    basis="利用依据",
    send="发给保管单位",
    sent="已发给保管单位。",
    fetched="已传 {done} / {total} KB",
    asked_at="{time} 提出",
    withdraw="撤回",
    withdrawn="已撤回。",
    reason="理由",
    open_pdf="打开 PDF",
    first_sheet="第一张用纸编号",
    printer="打印机",
    note_printed="登记已打印",
    printed="已登记用纸，证明已出具。",
    spoil_title="用纸作废",
    sheet="用纸编号",
    spoil="登记作废",
    spoiled="已登记作废，请重打缺少的页。",
    sheets_of="用纸",
    page="第 {number} 页",
    revoke="撤销证明",
    revoke_lead="撤销后，任何人核验都会显示“已撤销”。",
    revoke_sure="撤销这份证明？不能恢复。",
    revoked="证明已撤销。",
    replaced_by="由 {serial} 替换",
    replace="重新出证（替换这一份）",
    replacing="替换 {serial}：新证明打印登记后，原证明即撤销，核验时显示已替换。",
    balance="用纸盘点",
    balance_line="领用 {received}，已印 {printed}，作废 {spoiled}，剩余 {left}",
    skipped="去向不明 {count} 张：{sheets}",
    no_paper="没有可用的编号纸，请先登记领用。",
    receive="登记领用",
    receive_first="起号",
    receive_last="止号",
    received="用纸已登记。",
    no_record="出具查无此档证明",
    no_record_lead="由县馆出具，附完整性说明：问了谁、谁没有答复、截至何时。",
    no_record_done="查无此档证明已制作，稍后可打印。",
)

ENGLISH = CopiesWords(
    title="Copies and certificates",
    none="No copy was ordered yet.",
    order_title="Order a copy or a statement of the holder",
    order_lead="The holder approves and seals; the window only prints. A holder that is offline gets it on return.",
    product="What",
    pages="Pages",
    pages_hint="Such as 1-3, 5; empty for all.",
    facts="Facts to be stated (for a statement)",
    facts_hint="One a line, and only what is needed",
    basis="Basis of use",
    send="Send to the holder",
    sent="It was sent to the holder.",
    fetched="{done} of {total} KB fetched",
    asked_at="asked {time}",
    withdraw="Withdraw",
    withdrawn="It was withdrawn.",
    reason="Reason",
    open_pdf="Open the PDF",
    first_sheet="Number of the first sheet",
    printer="Printer",
    note_printed="Note as printed",
    printed="The sheets are noted; the certificate is issued.",
    spoil_title="Spoiled sheet",
    sheet="Number of the sheet",
    spoil="Note as spoiled",
    spoiled="Noted as spoiled; print the pages again that are missing.",
    sheets_of="Sheets",
    page="page {number}",
    revoke="Revoke",
    revoke_lead="Whoever verifies it from then on reads that it was revoked.",
    revoke_sure="Revoke this certificate? It cannot be undone.",
    revoked="The certificate was revoked.",
    replaced_by="replaced by {serial}",
    replace="Certify anew, in its place",
    replacing="It takes the place of {serial}, which is revoked when the new one is printed; verifying it says so.",
    balance="Balance of sheets",
    balance_line="received {received}, printed {printed}, spoiled {spoiled}, left {left}",
    skipped="{count} unaccounted for: {sheets}",
    no_paper="There is no numbered paper: enter what was received first.",
    receive="Enter received paper",
    receive_first="First number",
    receive_last="Last number",
    received="The paper is entered.",
    no_record="Issue a statement of no record",
    no_record_lead="The county gives it, with what was asked of whom, who has not answered, and as of when.",
    no_record_done="The statement is being made and can be printed in a moment.",
)
