"""Rules of the four-property checks on a package as a whole."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from protocol.judgements import Judgement, failed, manual, not_applicable, not_run, passed
from protocol.registration import Registration
from protocol.vocabularies import Level
from protocol.whole_codes import whole_code
from protocol.wording import Count, Text
from replication.checks.survey import Survey
from replication.packages.bag_faults import BagFaultCode
from replication.packages.official_layout import read_note, structure_faults
from replication.packages.opening import KIND_WORDS, PackageKind

PackageCheck = Callable[[Survey], Judgement]

SHOWN_MAX: Final = 10
"""Names that one piece of evidence tells; how many there are is always said."""

_AGAIN: Final = Text(zh="请移交方重新制作该包。", en="Ask the sender to make the package again.")
_LOSES_FILES: Final = frozenset((BagFaultCode.CLASH, BagFaultCode.PORTABLE))
"""A bag may be valid with these, and lose files all the same on the next system."""

_OF_ONE_FILE: Final = frozenset((BagFaultCode.DIGEST, BagFaultCode.UNREADABLE, BagFaultCode.CHANGED))


def package_structure(survey: Survey) -> Judgement:
    """The package is built as was agreed, and nothing in it leads out of it."""
    found = list(structure_faults(survey.package.root))
    found += [Text(zh=f"{path}：{words.zh}", en=f"{path}: {words.en}") for path, words in survey.refused]
    of_package = [fault for fault in survey.bag_faults if fault.code not in _OF_ONE_FILE]
    found += [fault.text for fault in of_package if not fault.is_warning or fault.code in _LOSES_FILES]
    if found:
        return failed(_listed(found), _AGAIN)
    noticed = _listed([KIND_WORDS[survey.package.kind], *(fault.text for fault in of_package)])
    return passed(noticed.zh, noticed.en)


def package_same_as_sent(survey: Survey) -> Judgement:
    """The digest that came by another way is that of the package."""
    sent = survey.facts.sent_digest
    if survey.package.kind is not PackageKind.BAG:
        return not_run(Text(zh="不是 BagIt 包，没有整包摘要", en="it is no bag, so nothing stands for the whole"))
    if not sent:
        return not_run(Text(zh="移交方没有另行告知整包摘要", en="the sender gave no digest by another way"))
    if sent != survey.digest:
        return failed(Text(zh=f"{survey.digest} ≠ {sent}", en=f"{survey.digest} ≠ {sent}"), _AGAIN)
    return passed(f"整包摘要相符：{sent}", f"the package has the digest that was sent: {sent}")


def count_match(survey: Survey) -> Judgement:
    """Numbers of entries and files are those of the form."""
    form = _form(survey)
    if form is None or survey.catalogue_fault is not None:
        return not_run(Text(zh="没有登记表可比", en="there is no form to compare with"))
    items = sum(entry.level is not Level.VOLUME for entry in survey.shelf.entries)
    said = (form.entries, form.volumes, form.files)
    files, _ = survey.shelf.files.totals()
    seen = (items, len(survey.shelf.entries) - items, files)
    if said != seen:
        told = "件/卷/文件"
        return failed(
            Text(zh=f"{told}：登记 {said}，实有 {seen}", en=f"items/volumes/files: {said} on the form, {seen} there"),
            _AGAIN,
        )
    return passed(
        f"{items} 件，{seen[1]} 卷，{seen[2]} 个文件",
        f"{Count(items):item|items}, {Count(seen[1]):volume|volumes}, {Count(seen[2]):file|files}",
    )


def bytes_match(survey: Survey) -> Judgement:
    """The bytes are those of the form."""
    form = _form(survey)
    _, total = survey.shelf.files.totals()
    if form is None or not form.size_bytes:
        return not_run(Text(zh="没有登记字节数", en="no number of bytes is on the form"))
    if form.size_bytes != total:
        return failed(
            Text(zh=f"登记 {form.size_bytes}，实有 {total}", en=f"{form.size_bytes} on the form, {total} there"), _AGAIN
        )
    return passed(f"{total} 字节", f"{total} bytes")


def _form(survey: Survey) -> Registration | None:
    """Return the form that was agreed, else the one that the package carries; one without any count says nothing."""
    for form in (survey.facts.registration, survey.package.registration):
        if form is not None and (form.entries or form.volumes or form.files):
            return form
    return None


def process_info(survey: Survey) -> Judgement:
    """The steps of the handling are recorded: what, by whom, when, in the order of time."""
    steps = survey.facts.process
    if steps is None:
        return not_run(Text(zh="没有提供过程记录", en="no record of the handling was given"))
    lacking = [step.step for step in steps if not (step.step and step.done_by and step.at_ms)]
    if not steps or lacking:
        return failed(Text(zh="过程记录不全", en="the record of the handling is incomplete"), _AGAIN)
    return passed(f"{len(steps)} 个步骤", f"{Count(len(steps)):step|steps}")


def transfer_process_safe(survey: Survey) -> Judgement:
    """No step changed the package: every digest that was taken on the way is the same."""
    steps = survey.facts.process
    if steps is None:
        return not_run(Text(zh="没有提供过程记录", en="no record of the handling was given"))
    taken = {step.digest for step in steps if step.digest}
    if not taken:
        return not_run(Text(zh="途中没有取过摘要", en="no digest was taken on the way"))
    if survey.digest:
        taken.add(survey.digest)
    if len(taken) > 1:
        changed = next(step.step for step in steps if step.digest and step.digest != survey.digest)
        return failed(Text(zh=f"“{changed}”前后摘要不同", en=f"the digest changed about {changed!r}"), _AGAIN)
    return passed("途中没有改动", "nothing changed on the way")


def continuity(survey: Survey) -> Judgement:
    """The running numbers are whole; gaps in the codes are shown to a person, who knows what was held back."""
    if survey.catalogue_fault is not None:
        return not_run(survey.catalogue_fault.reason)
    for level in (Level.VOLUME, Level.ITEM):
        numbers = [
            entry.sequence for entry in survey.shelf.entries if (entry.level is Level.VOLUME) is (level is Level.VOLUME)
        ]
        if any(numbers) and (fault := _sequence_fault(numbers)) is not None:
            return failed(
                fault, Text(zh="改正顺序号后重新打包。", en="Correct the numbers and make the package again.")
            )
    gaps = _code_gaps(entry.ref_code for entry in survey.shelf.entries)
    if gaps:
        return manual(
            Text(
                zh=f"档号有 {len(gaps)} 处空缺：{_joined(gaps)}",
                en=f"{Count(len(gaps)):gap|gaps} in the codes: {_joined(gaps)}",
            ),
            Text(
                zh="核对是漏件还是不在本次移交范围。",
                en="See whether items are missing or are not part of this transfer.",
            ),
        )
    return passed("顺序号与档号连续", "numbers and codes have no gaps")


def _sequence_fault(numbers: Sequence[str]) -> Text | None:
    if not all(number.isascii() and number.isdigit() and len(number) < 10 for number in numbers):
        return Text(zh="有的顺序号不是数字", en="some running numbers are no numbers")
    found = sorted(map(int, numbers))
    for expected, number in enumerate(found, found[0]):
        if number != expected:
            return Text(
                zh=f"顺序号在 {expected} 处不连续或重复", en=f"the running numbers break off or repeat at {expected}"
            )
    return None


def _code_gaps(codes: Iterable[str]) -> list[str]:
    """Return the codes that are left out between two that begin alike."""
    numbers: dict[str, set[int]] = {}
    for code in codes:
        head, separator, tail = code.rpartition("-")
        if separator and tail.isascii() and tail.isdigit() and len(tail) < 10:
            numbers.setdefault(head, set()).add(int(tail))
    gaps = []
    for head, found in numbers.items():
        ordered = sorted(found)
        for before, after in itertools.pairwise(ordered):
            if after - before > 1:
                span = str(before + 1) if after - before == 2 else f"{before + 1}–{after - 1}"
                gaps.append(f"{head}-{span}")
    return gaps


def scope_check(survey: Survey) -> Judgement:
    """Everything that was planned is in the package, and nothing else."""
    planned = survey.facts.planned_codes
    if planned is None:
        return not_run(Text(zh="没有提供移交计划", en="no plan was given"))
    if survey.catalogue_fault is not None:
        return not_run(survey.catalogue_fault.reason)
    wanted = {whole_code(code): code for code in sorted(planned)}
    there = {whole_code(entry.ref_code): entry.ref_code for entry in survey.shelf.entries}
    missing = [code for whole, code in wanted.items() if whole not in there]
    beside = [code for whole, code in there.items() if whole not in wanted]
    if missing or beside:
        zh = f"缺 {len(missing)} 件：{_joined(missing)}；计划外 {len(beside)} 件：{_joined(beside)}"
        en = f"{len(missing)} are missing: {_joined(missing)}; {len(beside)} were not planned: {_joined(beside)}"
        return failed(Text(zh=zh, en=en), Text(zh="补齐，或与馆方改计划。", en="Add them, or have the plan changed."))
    return passed(f"计划的 {len(wanted)} 件都在", f"all {len(wanted)} that were planned are there")


def meta_readable(survey: Survey) -> Judgement:
    """The catalogue can be read."""
    if survey.catalogue_fault is not None:
        return failed(survey.catalogue_fault.reason, survey.catalogue_fault.hint)
    if not survey.shelf.entries:
        return failed(Text(zh="目录是空的", en="the catalogue is empty"), _AGAIN)
    return passed(f"目录 {len(survey.shelf.entries)} 条", f"{Count(len(survey.shelf.entries)):entry|entries}")


def env_recorded(survey: Survey) -> Judgement:
    """It is recorded what programs and machines the files need."""
    said = survey.facts.environment or read_note(survey.package.root).environment
    if said:
        return passed(said[:200], said[:200])
    lacking = sum(not entry.environment for entry in survey.shelf.entries)
    if not survey.shelf.entries or lacking:
        return failed(
            Text(
                zh=f"未记录软硬件环境（{lacking} 条）",
                en=f"no environment is recorded ({Count(lacking):entry|entries})",
            ),
            Text(zh="写入 说明文件.TXT。", en="Write it into 说明文件.TXT."),
        )
    return passed("每条都有记录", "is recorded with every entry")


def carrier_extra_files(survey: Survey) -> Judgement:
    """No file is there that nobody listed: in no manifest, or of no entry."""
    listed = [fault.path for fault in survey.bag_faults if fault.code is BagFaultCode.UNLISTED]
    count, stray = survey.shelf.files.strays(SHOWN_MAX + 1)
    found = sorted({*listed, *stray})
    if found:
        count += len(listed)
        return failed(
            Text(
                zh=f"{count} 个文件没有对应条目：{_joined(found)}",
                en=f"{Count(count):file|files} of no entry: {_joined(found)}",
            ),
            Text(zh="补著录，或从包中取出。", en="Describe them, or take them out."),
        )
    return passed("没有多余文件", "there are no such files")


def carrier_read(survey: Survey) -> Judgement:
    """Everything could be read, and how fast."""
    faults = [fault for fault in survey.bag_faults if fault.code is BagFaultCode.UNREADABLE]
    if faults:
        return failed(
            _listed([fault.text for fault in faults]),
            Text(zh="检查载体后重新复制。", en="Look at the carrier, then copy it again."),
        )
    if not survey.read_bytes:
        return not_run(Text(zh="没有通读文件（不是 BagIt 包）", en="the files were not read through (it is no bag)"))
    speed = survey.read_bytes / max(survey.read_s, 1e-6) / 1024**2
    return passed(
        f"通读 {survey.read_bytes} 字节，{speed:.1f} MB/s", f"read {survey.read_bytes} bytes, {speed:.1f} MB/s"
    )


def carrier_look(survey: Survey) -> Judgement:
    """A person looked at the outside of the carrier."""
    return _by_person(survey, Text(zh="查看载体外观有无损伤、标签是否齐全。", en="Look for damage and for the labels."))


def disc_quality(survey: Survey) -> Judgement:
    """A device measured the disc (DA/T 38)."""
    return _by_person(survey, Text(zh="用光盘检测设备测定。", en="Measure it with a device for discs."))


def _by_person(survey: Survey, remedy: Text) -> Judgement:
    if survey.facts.is_online:
        return not_applicable("在线移交，没有载体", "came over the network: there is no carrier")
    return manual(Text(zh="须由人检测", en="a person must do it"), remedy)


def _listed(found: Sequence[Text]) -> Text:
    shown = found[:SHOWN_MAX]
    more = f"……共 {len(found)} 处" if len(found) > SHOWN_MAX else ""
    further = f" … {len(found)} in all" if len(found) > SHOWN_MAX else ""
    return Text(zh="；".join(one.zh for one in shown) + more, en="; ".join(one.en for one in shown) + further)


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN_MAX]) + (" …" if len(names) > SHOWN_MAX else "")


PACKAGE_CHECKS: Mapping[str, PackageCheck] = {
    judge.__name__: judge
    for judge in (
        package_structure,
        package_same_as_sent,
        count_match,
        bytes_match,
        process_info,
        continuity,
        scope_check,
        meta_readable,
        env_recorded,
        carrier_extra_files,
        carrier_read,
        carrier_look,
        disc_quality,
        transfer_process_safe,
    )
}
"""The rules on a package by their ids."""
