"""The papers of a handover as lines of text, in the official columns: 交接文据 and 电子档案移交与接收登记表. Pure.

The certificate has the three parts of the official form. What the PDF shows and what a node prints are these lines;
what is signed is the certificate itself (``protocol.handovers``), whose digest stands among them.
"""

from typing import Final

from protocol.handovers import Certificate, certificate_digest
from protocol.transfers import Nature, Signed
from protocol.vocabularies import LIVELIHOOD_KINDS

TITLE: Final = "档案交接文据"
FORM_TITLE: Final = "电子档案移交与接收登记表"

_NATURES: Final = {
    Nature.TRANSFER: "移交",
    Nature.DELEGATED_CUSTODY: "代管",
    Nature.DEPOSIT: "寄存",
    Nature.DONATION: "捐赠",
    Nature.PURCHASE: "征购",
}

Line = tuple[str, str]
"""Label and content."""


def certificate_lines(certificate: Certificate) -> list[Line]:
    """Return the handover certificate in its three parts."""
    giver, receiver = certificate.giver, certificate.receiver
    years = "—".join(str(year) for year in (certificate.year_first, certificate.year_last) if year is not None)
    lines = [
        ("移交单位", f"{giver.name}（{giver.site}）"),
        ("移交单位负责人／经办人", f"{giver.leader or '—'}／{giver.handler or '—'}"),
        ("接收单位", f"{receiver.name}（{receiver.site}）"),
        ("接收单位负责人／经办人", f"{receiver.leader or '—'}／{receiver.handler or '—'}"),
        ("交接性质", _NATURES[certificate.nature]),
        ("交接日期", certificate.dated.isoformat() if certificate.dated else "—"),
        ("档案所属年度", years or "—"),
        ("全宗", "、".join(certificate.fonds) or "—"),
        ("交接内容", certificate.title),
        ("数量", f"{certificate.items} 件，电子文件 {certificate.files} 个，{gigabytes(certificate.size_bytes)} GB"),
    ]
    lines += [
        (
            f"　{_category(quantity.category)}",
            f"{quantity.items} 件" + (f"，{quantity.volumes} 卷" if quantity.volumes else ""),
        )
        for quantity in certificate.quantities
    ]
    if certificate.left_out:
        lines.append(("未接收", f"{certificate.left_out} 件（留移交单位）"))
    if certificate.volumes_expected:
        lines.append(("实物", f"应交 {certificate.volumes_expected} 卷，实收 {certificate.volumes_seen} 卷"))
        lines += [
            (f"　盒 {box.box}", f"应 {box.expected}，实 {box.seen}" + (f"，架位 {box.shelf}" if box.shelf else ""))
            for box in certificate.boxes
        ]
    if certificate.copy_kept_until is not None:
        lines.append(("移交单位副本保存至", certificate.copy_kept_until.isoformat()))
    lines += [("移交单位说明", certificate.note or "无"), ("接收单位意见", certificate.opinion or "同意接收")]
    return lines


def form_lines(certificate: Certificate) -> list[Line]:
    """Return the registration form of electronic records."""
    lines = [
        ("交接工作名称", certificate.title),
        ("内容描述", certificate.note or certificate.title),
        ("移交电子档案数量", f"{certificate.items} 件，{certificate.files} 个文件"),
        ("移交数据量", f"{gigabytes(certificate.size_bytes)} GB"),
        ("载体起止顺序号", "—"),
        ("移交载体类型、规格", "在线"),
        ("准确性检验", "四性检测，逐项结果见检测报告"),
        ("完整性检验", "四性检测，逐项结果见检测报告"),
        ("可用性检验", "四性检测，逐项结果见检测报告"),
        ("安全性检验", "四性检测，逐项结果见检测报告"),
        ("载体外观检验", "不适用（在线）"),
        ("填表人（移交）", certificate.giver.handler or "—"),
        ("审核人（移交）", certificate.giver.leader or "—"),
        ("填表人（接收）", certificate.receiver.handler or "—"),
        ("审核人（接收）", certificate.receiver.leader or "—"),
    ]
    lines += [
        (f"第 {package.round} 批清单摘要 SHA-256", f"{package.manifest_sha256}（{package.manifest_name}）")
        for package in certificate.packages
    ]
    return [*lines, ("接收条目清单摘要 SHA-256", certificate.items_digest)]


def signature_lines(certificate: Certificate, giver: Signed | None, receiver: Signed | None) -> list[Line]:
    """Return who signed with which key, and what was signed."""
    lines = [("文据摘要 SHA-256", certificate_digest(certificate))]
    for words, signed in (("移交单位", giver), ("接收单位", receiver)):
        lines.append((f"{words}签字人", (signed.signer or "—") if signed is not None else "尚未签字"))
        if signed is not None:
            lines += [(f"{words}密钥", signed.key), (f"{words}签名 Ed25519", signed.signature.hex())]
    return lines


def _category(category: str) -> str:
    kind = LIVELIHOOD_KINDS.get(category)
    return kind.zh if kind is not None else category or "未分类"


def gigabytes(size_bytes: int) -> str:
    """Return an amount of data as the form wants it: GB, three decimals."""
    return f"{size_bytes / 1024**3:.3f}"


def as_text(certificate: Certificate, giver: Signed | None, receiver: Signed | None) -> str:
    """Return both papers as plain text."""
    parts = (
        (TITLE, certificate_lines(certificate)),
        (FORM_TITLE, form_lines(certificate)),
        ("签名", signature_lines(certificate, giver, receiver)),
    )
    return "\n\n".join(
        "\n".join([title, *(f"{label}：{content}" for label, content in lines)]) for title, lines in parts
    )
