"""Rules of the four-property checks that read one file (DA/T 70: 内容数据)."""

import subprocess
from collections.abc import Callable, Mapping
from typing import Final

from protocol.attaching import is_kept_beside
from protocol.check_results import Outcome
from protocol.judgements import Judgement, failed, manual, not_applicable, not_run, passed
from protocol.wording import Count, Text
from replication.checks.archives_within import is_ole_locked
from replication.checks.formats import ARCHIVES
from replication.checks.opened import Opened, Openness
from replication.checks.opening_apart import OpeningFailed
from replication.checks.pdf_files import TOOL as PDF_TOOL
from replication.checks.survey import FileLook, Survey
from replication.checks.virus_scanner import VirusScanner
from replication.packages.opening import PackageKind
from replication.packages.zip_reading import is_behind

FileCheck = Callable[[FileLook, Survey], Judgement]

_AGAIN: Final = Text(zh="请重新扫描或重新导出该文件。", en="Scan or export the file again.")
_COPY_AGAIN: Final = Text(zh="请移交方重新制作或重新复制该包。", en="Ask the sender to make or copy the package again.")
_LOOK: Final = Text(zh="请人工打开查看。", en="Open it and look.")
_UNSEEN: Final = frozenset((Openness.BROKEN, Openness.CRASHED, Openness.TOO_LARGE))
"""Of what was not opened nobody knows whether it is encrypted."""

SIGNATURE_TOOL: Final = "pyHanko"
_INSTALL: Final = Text(zh="安装 danglian[checks] 后重新检测。", en="Install danglian[checks] and check again.")


def fixity_valid(look: FileLook, survey: Survey) -> Judgement:
    """The content has the digest that was recorded for it, and signatures within it hold."""
    found = _has_digest(look, survey)
    if found.outcome is not Outcome.PASSED or look.identity.format != "PDF":
        return found
    signing = look.opened.signing if look.opened is not None else None
    if signing is None:
        return found
    if signing.broken:
        return manual(
            Text(
                zh=f"内含 {signing.broken} 处签名与内容不符：签名之后被改动，或转换时损坏",
                en=f"{Count(signing.broken):signature within does|signatures within do} not fit the content: changed"
                " since, or spoilt on the way",
            ),
            Text(
                zh="请移交方提供签名完好的原文件；确无原件的，核实后说明理由。", en="Ask for the file as it was signed."
            ),
            tool=SIGNATURE_TOOL,
        )
    told = Text(
        zh=f"内含签名 {signing.valid} 处完好",
        en=f"{Count(signing.valid):signature within holds|signatures within hold}",
    )
    if signing.not_judged:
        why = signing.why or Text(zh="过多", en="too many")
        told = Text(
            zh=f"{told.zh}，{signing.not_judged} 处未核验：{why.zh}",
            en=f"{told.en}, {signing.not_judged} not judged: {why.en}",
        )
    evidence = Text(zh=f"{found.evidence.zh}；{told.zh}", en=f"{found.evidence.en}; {told.en}")
    return passed(evidence.zh, evidence.en, tool=SIGNATURE_TOOL)


def _has_digest(look: FileLook, survey: Survey) -> Judgement:
    path = look.file.path
    if (fault := survey.faults_of_file.get(path)) is not None:
        return failed(fault.text, fault.remedy)
    if (proven := survey.shelf.files.proven(path)) is not None:
        told = f"{survey.proven_by} {proven.hex()}…"
        return passed(f"摘要相符：{told}", f"has its digest: {told}")
    recorded = look.entry.digest if look.entry is not None else ""
    algorithm, _, digest = recorded.partition(":")
    if algorithm == "sha256" and digest:
        found = look.sha256()
        if found == digest.lower():
            return passed(f"摘要相符：sha256 {found[:16]}…", f"has its digest: sha256 {found[:16]}…")
        return failed(Text(zh="与登记的摘要不符", en="does not have the digest that was recorded"), _COPY_AGAIN)
    if survey.package.kind is PackageKind.BAG:
        return failed(Text(zh="清单没有列出该文件", en="no manifest lists it"), _COPY_AGAIN)
    return not_run(
        Text(zh="没有可核对的摘要", en="no digest was recorded for it"),
        Text(zh="用 BagIt 包移交，每个文件就都有摘要。", en="Transfer a bag: it has a digest for every file."),
    )


def content_open(look: FileLook, survey: Survey) -> Judgement:
    """The file can be opened by a program that knows its format."""
    if not look.file.size_bytes:
        return failed(Text(zh="空文件", en="the file is empty"), _AGAIN)
    opened = look.opened
    if opened is None:
        name = look.identity.format or look.identity.ending or "?"
        return manual(
            Text(zh=f"没有自动打开 {name} 的工具", en=f"no tool here opens {name}"),
            _LOOK,
        )
    survey.shelf.files.note_pages(look.file.path, opened.pages)
    return _openness(opened)


def _openness(opened: Opened) -> Judgement:
    tool, version = opened.tool, opened.tool_version
    if opened.openness is Openness.NO_TOOL:
        return not_run(opened.evidence, _INSTALL, tool=tool)
    if opened.openness is Openness.CRASHED:
        return not_run(opened.evidence, _LOOK, tool=tool)
    if opened.openness is Openness.OPENED:
        return passed(opened.evidence.zh, opened.evidence.en, tool=tool, tool_version=version)
    if opened.openness is Openness.REPAIRED:
        look_at = Text(
            zh="请人工查看内容是否完整，或重新导出。", en="Look whether anything is lost, or export it again."
        )
        return manual(opened.evidence, look_at, tool=tool, tool_version=version)
    if opened.openness in {Openness.TOO_LARGE, Openness.UNUSUAL}:
        return manual(
            opened.evidence, Text(zh="请人工打开查看。", en="Open it and look."), tool=tool, tool_version=version
        )
    remedy = _AGAIN
    if opened.openness is Openness.LOCKED:
        remedy = Text(zh="请去掉密码后移交。", en="Remove the password before the transfer.")
    return failed(opened.evidence, remedy, tool=tool, tool_version=version)


def format_whitelist(look: FileLook, survey: Survey) -> Judgement:
    """The format is one that is taken, and the one that the name says."""
    found = look.identity
    if not look.file.size_bytes:
        return failed(Text(zh="空文件", en="the file is empty"), _AGAIN)
    if not found.format:
        return failed(
            Text(zh="格式无法识别", en="its format is unknown"),
            Text(zh="转换为规定的格式后移交。", en="Convert it to a format that is taken."),
        )
    if not found.agrees:
        return failed(
            Text(
                zh=f"内容是 {found.format}，扩展名却是 .{found.ending}",
                en=f"is {found.format}, but is called .{found.ending}",
            ),
            Text(zh="核对文件是否放错；改正扩展名。", en="See whether it is the wrong file, or correct its name."),
        )
    if found.format not in survey.settings.formats:
        return failed(
            Text(zh=f"{found.format} 不在接收格式之内", en=f"{found.format} is not taken"),
            Text(zh="转换为规定的格式后移交。", en="Convert it to a format that is taken."),
        )
    return passed(f"{found.format}，与扩展名一致", f"{found.format}, as its name says")


def longterm_format(look: FileLook, survey: Survey) -> Judgement:
    """The format is one for long keeping; PDF/A is believed from a validator only."""
    name, settings = look.identity.format, survey.settings
    if look.identity.named and not look.identity.agrees:
        return failed(Text(zh="内容与扩展名不符", en="is not what its name says"), _AGAIN)
    if name in settings.longterm_formats:
        return passed(f"{name} 适合长期保存", f"{name} is for long keeping")
    if name != "PDF" or "PDF/A" not in settings.longterm_formats:
        return failed(
            Text(
                zh=f"{name or '未知格式'} 不适合长期保存", en=f"{name or 'an unknown format'} is not for long keeping"
            ),
            Text(zh="转换为 PDF/A、OFD 或 TIFF。", en="Convert it to PDF/A, OFD or TIFF."),
        )
    return _pdfa(look, survey)


def _pdfa(look: FileLook, survey: Survey) -> Judgement:
    make = Text(zh="用 PDF/A 重新导出。", en="Export it again as PDF/A.")
    if survey.tools.validator is not None:
        try:
            verdict = survey.tools.validator.validate(look.place)
        except (OSError, subprocess.TimeoutExpired) as error:
            return not_run(Text(zh=f"veraPDF 未能完成：{error}", en=f"veraPDF did not finish: {error}"), tool="veraPDF")
        if verdict.conforms is None:
            return not_run(
                Text(zh=f"veraPDF 未作出判断：{verdict.said}", en=f"no verdict: {verdict.said}"), tool="veraPDF"
            )
        said = Text(zh=verdict.said, en=verdict.said)
        if verdict.conforms:
            return passed(said.zh, said.en, tool="veraPDF", tool_version=verdict.version)
        return failed(said, make, tool="veraPDF", tool_version=verdict.version)
    opened = look.opened
    if opened is None or opened.openness not in {Openness.OPENED, Openness.REPAIRED}:
        return not_run(opened.evidence if opened else Text(zh="打不开", en="cannot be opened"), tool=PDF_TOOL)
    try:
        claim, against = survey.disprove_pdfa(look.place)
    except OpeningFailed as error:
        return not_run(error.why, _LOOK, tool=PDF_TOOL)
    if against is not None:
        return failed(Text(zh=f"不是 PDF/A：{against.zh}", en=f"no PDF/A: {against.en}"), make, tool=PDF_TOOL)
    return not_run(
        Text(zh=f"自称 PDF/A-{claim}，本机没有校验器", en=f"claims to be PDF/A-{claim}; no validator is installed"),
        Text(zh="安装 veraPDF 后重新检测。", en="Install veraPDF and check again."),
        tool=PDF_TOOL,
    )


def no_private_compression_or_encryption(look: FileLook, _survey: Survey) -> Judgement:
    """The file is neither packed nor locked; bombs and archives within archives are named."""
    name = look.identity.format
    unlock = Text(zh="请去掉密码后移交。", en="Remove the password before the transfer.")
    if name in {"PDF", "OFD"}:
        opened = look.opened
        if opened is not None and opened.openness is Openness.NO_TOOL:
            return not_run(opened.evidence, _INSTALL, tool=opened.tool)
        if opened is not None and opened.is_encrypted:
            return failed(
                Text(zh="已加密或要求密码", en="is encrypted or asks for a password"), unlock, tool=opened.tool
            )
        if opened is not None and opened.openness in _UNSEEN:
            return not_run(opened.evidence, _AGAIN, tool=opened.tool)
    if name == "OLE" and is_ole_locked(look.place):
        return failed(Text(zh="办公文档要求密码", en="an office document that asks for a password"), unlock)
    if name in ARCHIVES or name in {"OFD", "OFFICE"}:
        return _packed(look)
    if is_behind(look.place):
        return failed(
            Text(
                zh=f"{name or '该文件'} 后面藏有压缩文件", en=f"{name or 'the file'} with a ZIP file hidden behind it"
            ),
            Text(zh="请与移交方核实，并重新导出该文件。", en="Ask the sender, and have the file exported again."),
        )
    if look.opened is not None and look.opened.holds:
        held = ", ".join(look.opened.holds)
        return failed(
            Text(zh=f"内嵌文件：{held}", en=f"files are embedded in it: {held}"),
            Text(zh="取出内嵌文件，单独著录后移交。", en="Take them out, and describe each by itself."),
            tool=look.opened.tool,
        )
    return passed("未压缩、未加密", "neither packed nor encrypted")


def _packed(look: FileLook) -> Judgement:
    seen = look.archive
    unpack = Text(zh="请解压后移交。", en="Unpack it before the transfer.")
    if seen.is_bomb:
        told = f"{seen.members} / {seen.unpacked_bytes}"
        return failed(
            Text(zh=f"疑为压缩炸弹（{told} 字节）", en=f"seems to be a bomb ({told} bytes)"),
            Text(zh="不要解压，请与移交方核实。", en="Do not unpack it; ask the sender."),
        )
    if seen.is_locked:
        return failed(
            Text(zh=f"{seen.format} 带密码", en=f"{seen.format} that asks for a password"),
            Text(zh="请去掉密码、解压后移交。", en="Remove the password and unpack it before the transfer."),
        )
    if seen.leads_out:
        return failed(
            Text(
                zh=f"{seen.format} 内有指向外面的路径或链接",
                en=f"{seen.format} with a path or a link in it that leads out",
            ),
            Text(zh="不要解压，请与移交方核实。", en="Do not unpack it; ask the sender."),
        )
    if seen.format in {"OFD", "OFFICE"}:
        if seen.is_broken:
            return not_run(Text(zh="无法查看内部", en="cannot be looked into"))
        return passed("文档格式自带的压缩，未加密", "packed as its document format is, not encrypted")
    within = f"，内含 {', '.join(seen.nested)}" if seen.nested else ""
    further = f" with {', '.join(seen.nested)} in it" if seen.nested else ""
    return failed(Text(zh=f"是压缩文件 {seen.format}{within}", en=f"is a packed file, {seen.format}{further}"), unpack)


def virus_scan(look: FileLook, survey: Survey) -> Judgement:
    """A scanner looked at the file and found nothing."""
    scanner: VirusScanner | None = survey.tools.scanner
    if scanner is None:
        return not_run(
            Text(zh="没有设置病毒扫描器", en="no virus scanner is set"),
            Text(
                zh="安装 ClamAV，在设置 [transfers] scanner（或用 --scanner）中写明 clamd 的地址。",
                en="Install ClamAV and name clamd in the setting [transfers] scanner, or with --scanner.",
            ),
            tool="clamd",
        )
    try:
        version = scanner.version()
        scan = scanner.scan(look.place)
    except OSError as error:
        told = error.strerror or str(error)
        return not_run(
            Text(zh=f"病毒扫描器没有应答：{told}", en=f"the virus scanner did not answer: {told}"),
            Text(zh="启动 clamd 后重新检测。", en="Start clamd and check again."),
            tool="clamd",
        )
    if scan.is_clean is None:
        limit = Text(
            zh="文件超过扫描器上限时，调大 clamd.conf 的 StreamMaxLength 后重新检测。",
            en="If the file is over its limit, raise StreamMaxLength in clamd.conf and check again.",
        )
        return not_run(
            Text(zh=f"扫描器未完成：{scan.said}", en=f"the scanner did not finish: {scan.said}"), limit, tool="clamd"
        )
    if not scan.is_clean:
        isolate = Text(
            zh="隔离该载体，由移交方清除后重新移交。", en="Isolate the carrier; the sender removes it and sends again."
        )
        return failed(Text(zh=scan.said, en=scan.said), isolate, tool="clamd", tool_version=version)
    return passed("未发现病毒", "clean", tool="clamd", tool_version=version)


FILE_CHECKS: Mapping[str, FileCheck] = {
    "fixity_valid": fixity_valid,
    "content_open": content_open,
    "format_whitelist": format_whitelist,
    "longterm_format": longterm_format,
    "no_private_compression_or_encryption": no_private_compression_or_encryption,
    "virus_scan": virus_scan,
}
"""The rules on files by their ids, in an order in which what is looked at once is there for the next."""

_OF_RECORDS_ONLY: Final = frozenset(("content_open", "format_whitelist", "longterm_format"))


def applies(rule: str, look: FileLook) -> bool:
    """True if a rule says anything of this file: catalogue and notes need no format for long keeping."""
    return rule not in _OF_RECORDS_ONLY or not is_kept_beside(look.file.path)


def no_files() -> Judgement:
    """Return what a rule on files says of a package without any."""
    return not_applicable("包内没有电子档案文件", "the package has no files of records")
