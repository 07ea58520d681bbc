"""The words of transfers, in both languages."""

import msgspec


class TransfersWords(msgspec.Struct, frozen=True, kw_only=True):
    """What sites hand over to the archive."""

    title: str
    lead: str
    none: str
    every: str
    under_way: str
    over: str
    site: str
    ours: str
    theirs: str
    items: str
    accepted: str
    moved: str
    next_giver: str
    next_submitted: str
    next_checks: str
    next_decide: str
    next_sign_giver: str
    next_sign: str
    next_custody: str
    next_loaded: str
    next_over: str
    progress: str
    drawn: str
    checks: str
    checks_wait: str
    checks_passed: str
    checks_failed: str
    checks_unproven: str
    trouble: str
    facts: str
    nature: str
    opened: str
    round: str
    files: str
    giver: str
    handler: str
    kept_until: str
    note: str
    accession: str
    faults: str
    faults_lead: str
    package_faults: str
    no_faults: str
    more_faults: str
    rule: str
    why: str
    mend: str
    mandatory: str
    look: str
    every_item: str
    code: str
    item_title: str
    state: str
    return_faults: str
    return_faults_lead: str
    return_faults_sure: str
    ruled_done: str
    decide: str
    decide_lead: str
    decide_counts: str
    unit: str
    leader: str
    opinion: str
    dated: str
    is_final: str
    decide_do: str
    decide_sure: str
    decided_done: str
    waive: str
    waive_hint: str
    send_back: str
    send_back_lead: str
    send_back_do: str
    reason: str
    sent_back_done: str
    sign: str
    sign_lead: str
    signer: str
    sign_do: str
    sign_sure: str
    signed_done: str
    signature_refused: str
    giver_signed: str
    giver_not_signed: str
    receiver_signed: str
    receiver_not_signed: str
    papers: str
    print_hint: str
    cancel: str
    cancel_lead: str
    cancel_sure: str
    cancelled_done: str
    boxes: str
    box: str
    expected: str
    seen: str
    shelf: str
    count_do: str
    counted_done: str
    history: str
    by_giver: str
    by_receiver: str
    item: str
    scans: str
    no_scans: str
    no_picture: str
    fetch: str
    page_of: str
    earlier: str
    later: str
    item_good: str
    accept: str
    return_: str
    hold: str
    rule_lead: str
    present_ruling: str
    not_here: str
    certificate: str
    years: str
    fonds: str
    category: str
    quantity: str
    volumes: str
    manifests: str
    items_digest: str
    certificate_digest: str
    signature: str
    key: str


CHINESE = TransfersWords(
    title="移交",
    lead="各站点移交、代管、寄存的档案：从提交、检测、裁定到双方签字。",
    none="没有移交。站点用 danglian-node transfer new 发起。",
    every="全部",
    under_way="办理中",
    over="已结束",
    site="移交单位",
    ours="待本馆办理",
    theirs="待移交单位办理",
    items="条目",
    accepted="已接收",
    moved="最近变动",
    next_giver="等移交单位打包、修改并提交，届时此页自动更新。",
    next_submitted="正在从该站提取文件，断线后自动续传。",
    next_checks="文件已到齐，四性检测正在进行。未执行不等于通过。",
    next_decide="检测完毕：请逐条裁定有问题的条目，再审定本批。",
    next_sign_giver="已通过审定，等移交单位先签字。",
    next_sign="移交单位已签字，请核对后签字。双方签字后才改变保管单位。",
    next_custody="双方已签字，等目录显示新的保管单位。",
    next_loaded="已入库，自动办结。",
    next_over="已结束，无需操作。",
    progress="进度",
    drawn="已提取 {done} / {total}",
    checks="四性检测",
    checks_wait="尚未完成",
    checks_passed="全部必查项通过",
    checks_failed="有必查项不通过",
    checks_unproven="有必查项未执行或待人工",
    trouble="暂时受阻：{reason}",
    facts="要点",
    nature="性质",
    opened="发起时间",
    round="批次",
    files="文件",
    giver="移交单位",
    handler="经办人",
    kept_until="移交单位副本保留至",
    note="说明",
    accession="接收登记号",
    faults="要处理的条目",
    faults_lead="必查项未通过的条目不能接收：退回修改，或暂缓。",
    package_faults="整包的问题",
    no_faults="没有要处理的条目。",
    more_faults="另有 {count} 条，见全部条目。",
    rule="检测项",
    why="发现",
    mend="怎么改：",
    mandatory="必查",
    look="查看并裁定",
    every_item="全部条目",
    code="档号",
    item_title="题名",
    state="状态",
    return_faults="全部退回修改",
    return_faults_lead="把必查项未通过、尚未裁定的条目一并退回，理由按检测结果写明。",
    return_faults_sure="把这些条目全部退回？",
    ruled_done="已裁定。",
    decide="审定本批",
    decide_lead="未退回、未暂缓的条目即为接收。全部条目有结论后进入签字。",
    decide_counts="本批接收 {accept} 条，退回 {back} 条，暂缓 {hold} 条，有问题而未裁定 {open} 条。",
    unit="接收单位",
    leader="负责人",
    opinion="接收单位意见",
    dated="文据日期",
    is_final="暂缓的条目不再移交，就此通过",
    decide_do="审定",
    decide_sure="审定后本批裁定不能更改，确定？",
    decided_done="本批已审定。",
    waive="“{rule}”未执行的理由",
    waive_hint="未执行或待人工的必查项须写明为何不影响接收，将写入交接文据。",
    send_back="整包退回",
    send_back_lead="包无法审核时用：移交单位重新制作并提交本批。",
    send_back_do="整包退回",
    reason="理由",
    sent_back_done="已整包退回。",
    sign="签署交接文据",
    sign_lead="用本馆密钥对文据签名，双方签字后移交生效，不可撤回。",
    signer="签字人",
    sign_do="签字",
    sign_sure="签字后不可撤回，确定？",
    signed_done="已签字。",
    signature_refused="移交单位的签字未被接受：{reason}",
    giver_signed="移交单位已签字",
    giver_not_signed="移交单位未签字",
    receiver_signed="接收单位已签字",
    receiver_not_signed="接收单位未签字",
    papers="交接文据",
    print_hint="打印或存为 PDF：浏览器的“打印”。",
    cancel="取消移交",
    cancel_lead="双方签字前可取消；没有任何档案改变保管单位。",
    cancel_sure="取消这次移交？",
    cancelled_done="已取消。",
    boxes="实物清点",
    box="盒",
    expected="应有",
    seen="实点",
    shelf="架位",
    count_do="保存清点",
    counted_done="清点已保存。",
    history="经过",
    by_giver="移交单位",
    by_receiver="接收单位",
    item="条目审核",
    scans="扫描件",
    no_scans="包中没有此条目的文件。",
    no_picture="不能在网页上显示，可下载查看。",
    fetch="下载 {name}",
    page_of="第 {page} 件，共 {count} 件",
    earlier="上一件",
    later="下一件",
    item_good="各检测项没有发现问题。",
    accept="接收",
    return_="退回",
    hold="暂缓",
    rule_lead="退回、暂缓须写理由，移交单位会看到。",
    present_ruling="本批已裁定：{ruling}",
    not_here="本机没有连接移交库，不能办理。",
    certificate="档案交接文据",
    years="所属年度",
    fonds="全宗",
    category="类别",
    quantity="数量",
    volumes="卷",
    manifests="数据包",
    items_digest="条目清单摘要",
    certificate_digest="文据摘要",
    signature="签名",
    key="公钥",
)

ENGLISH = TransfersWords(
    title="Transfers",
    lead="What sites transfer, deposit or leave in custody: from submission to both signatures.",
    none="There are no transfers. Sites begin them with danglian-node transfer new.",
    every="All",
    under_way="Under way",
    over="Over",
    site="Giver",
    ours="the archive's turn",
    theirs="the giver's turn",
    items="Items",
    accepted="Accepted",
    moved="Moved last",
    next_giver="The giver packs, mends and submits; this page follows by itself.",
    next_submitted="The files are being drawn from the site; a cut line goes on by itself.",
    next_checks="All files are here and the four-property checks run. What has not run is not passed.",
    next_decide="The checks are done: rule on the items with findings, then decide this round.",
    next_sign_giver="Accepted; the giver signs first.",
    next_sign="The giver has signed: look at it, then sign. Custody changes only when both have signed.",
    next_custody="Both have signed; waiting for the catalogue to show the new custody.",
    next_loaded="Loaded; it closes by itself.",
    next_over="It is over: nothing is left to be done.",
    progress="Progress",
    drawn="{done} of {total} drawn",
    checks="Four-property checks",
    checks_wait="not finished",
    checks_passed="every mandatory rule passed",
    checks_failed="mandatory rules failed",
    checks_unproven="mandatory rules have not run, or wait for a person",
    trouble="Held up for now: {reason}",
    facts="Facts",
    nature="Nature",
    opened="Begun",
    round="Round",
    files="Files",
    giver="Giver",
    handler="Handled by",
    kept_until="The giver keeps its copy until",
    note="Note",
    accession="Accession number",
    faults="Items that need you",
    faults_lead="An item that fails a mandatory rule cannot be accepted: return it, or hold it.",
    package_faults="Findings about the whole package",
    no_faults="No item needs you.",
    more_faults="{count} more: see all items.",
    rule="Rule",
    why="Found",
    mend="How to mend it:",
    mandatory="mandatory",
    look="Look and rule",
    every_item="All items",
    code="Code",
    item_title="Title",
    state="State",
    return_faults="Return all of them",
    return_faults_lead="Returns what fails a mandatory rule and has no ruling, with the findings as reasons.",
    return_faults_sure="Return all these items?",
    ruled_done="Ruled.",
    decide="Decide this round",
    decide_lead="What is neither returned nor held is accepted. Once every item has its outcome the signatures follow.",
    decide_counts="This round accepts {accept}, returns {back}, holds {hold}; {open} with findings have no ruling.",
    unit="Receiver",
    leader="In charge",
    opinion="Opinion of the receiver",
    dated="Date of the certificate",
    is_final="Held items leave the transfer, and it is accepted without them",
    decide_do="Decide",
    decide_sure="The rulings of this round cannot be changed afterwards. Decide?",
    decided_done="The round is decided.",
    waive="Why “{rule}” that did not run is no hindrance",
    waive_hint="For mandatory rules that have not run or wait for a person; it goes into the certificate.",
    send_back="Send the package back",
    send_back_lead="For a package that cannot be looked at: the giver makes and submits this round again.",
    send_back_do="Send it back",
    reason="Reason",
    sent_back_done="The package was sent back.",
    sign="Sign the handover certificate",
    sign_lead="Signed with the archive's key; with both signatures the transfer is in force, for good.",
    signer="Signed by",
    sign_do="Sign",
    sign_sure="This is for good. Sign?",
    signed_done="Signed.",
    signature_refused="The giver's signature was refused: {reason}",
    giver_signed="the giver has signed",
    giver_not_signed="the giver has not signed",
    receiver_signed="the receiver has signed",
    receiver_not_signed="the receiver has not signed",
    papers="Handover certificate",
    print_hint="To print, or keep as PDF: your browser's print.",
    cancel="Cancel the transfer",
    cancel_lead="Possible until both have signed; nothing has changed hands.",
    cancel_sure="Cancel this transfer?",
    cancelled_done="Cancelled.",
    boxes="Physical boxes",
    box="Box",
    expected="Expected",
    seen="Seen",
    shelf="Shelf",
    count_do="Save the count",
    counted_done="The count is saved.",
    history="What happened",
    by_giver="giver",
    by_receiver="receiver",
    item="One item",
    scans="Scans",
    no_scans="The package has no file of this item.",
    no_picture="It cannot be shown on a page; fetch it to look at it.",
    fetch="Fetch {name}",
    page_of="file {page} of {count}",
    earlier="Previous",
    later="Next",
    item_good="No rule found anything.",
    accept="Accept",
    return_="Return",
    hold="Hold",
    rule_lead="A return or a hold needs its reason; the giver reads it.",
    present_ruling="Ruled in this round: {ruling}",
    not_here="Transfers cannot be worked on from here.",
    certificate="Handover certificate",
    years="Years",
    fonds="Fonds",
    category="Category",
    quantity="Quantity",
    volumes="volumes",
    manifests="Packages",
    items_digest="Digest of the items",
    certificate_digest="Digest of the certificate",
    signature="Signature",
    key="Public key",
)
