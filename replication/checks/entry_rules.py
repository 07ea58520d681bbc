"""Rules of the four-property checks on one entry: those of ``protocol.entry_checks``, and those that need its files."""

from collections.abc import Callable, Mapping
from typing import Final

from protocol import entry_checks
from protocol.attaching import missing_pages, page_mismatches
from protocol.entry_checks import EntryContext
from protocol.judgements import Judgement, failed, not_applicable, not_run, passed
from protocol.package_entries import PackageEntry
from protocol.vocabularies import Form, Level, parse_form
from protocol.whole_codes import whole_code
from protocol.wording import Count, Text, counted
from replication.checks.formats import identify
from replication.checks.survey import Survey
from replication.packages.reading import digests_of

EntryCheck = Callable[[PackageEntry, int, Survey], Judgement]
"""Takes an entry, its number in the catalogue, and the survey."""

_SHOWN_MAX: Final = 5
"""Names that one piece of evidence tells."""

_RECALL: Final = Text(zh="补上文件，或改正目录。", en="Add the file, or correct the catalogue.")


def _pure(judge: Callable[[PackageEntry, EntryContext], Judgement]) -> EntryCheck:
    def judged(entry: PackageEntry, _number: int, survey: Survey) -> Judgement:
        return judge(entry, survey.context)

    return judged


def content_present(entry: PackageEntry, number: int, survey: Survey) -> Judgement:
    """The entry has a file, unless it is a volume or on paper only."""
    files = survey.shelf.files.of_entry(number)
    if files:
        return passed(f"{len(files)} 个文件", f"{Count(len(files)):file|files}")
    if entry.level is Level.VOLUME:
        return not_applicable("案卷级条目，文件在卷内", "a volume: its files belong to its items")
    if Form.PAPER in {entry.form, parse_form(entry.form)[0]}:
        return not_applicable("仅有纸质", "on paper only")
    return failed(Text(zh="有目无文", en="has no file"), _RECALL)


def meta_content_link(entry: PackageEntry, number: int, survey: Survey) -> Judgement:
    """Files that the entry names are where it says; a file that is named by its code belongs to one entry only."""
    absent = survey.shelf.entries.absent_names(number)
    if absent:
        told = ", ".join(absent[:_SHOWN_MAX])
        return failed(Text(zh=f"所列文件不存在：{told}", en=f"names files that are not there: {told}"), _RECALL)
    if survey.shelf.files.is_contested(whole_code(entry.ref_code)):
        seen = Text(zh="同一档号有几个条目，文件归属不明", en="several entries have the code of its file")
        return failed(seen, _RECALL)
    if entry.file_name:
        return passed("所列文件都在", "the files that it names are there")
    if survey.shelf.files.of_entry(number):
        return passed("文件按档号对应", "its files are found by its code")
    return not_applicable("没有列出文件", "names no file")


def attachment_present(entry: PackageEntry, number: int, survey: Survey) -> Judgement:
    """Attachments that the entry names are among its files."""
    wanted = [name.strip() for name in entry.attachments.replace("；", ";").split(";") if name.strip()]
    if not wanted:
        return not_applicable("没有登记附件", "no attachment is recorded")
    paths = [file.path.casefold() for file, _ in survey.shelf.files.of_entry(number)]
    absent = [name for name in wanted if not any(name.casefold() in path for path in paths)]
    if absent:
        told = ", ".join(absent[:_SHOWN_MAX])
        return failed(Text(zh=f"缺少附件：{told}", en=f"attachments are missing: {told}"), _RECALL)
    return passed(f"{len(wanted)} 个附件都在", f"all {len(wanted)} attachments are there")


def pages_match(entry: PackageEntry, number: int, survey: Survey) -> Judgement:
    """页数 is the number of pages of the files, and no numbered page is left out."""
    pages = {file.path: counted for file, counted in survey.shelf.files.of_entry(number)}
    paths = list(pages)
    if not paths:
        return not_applicable("没有文件", "has no file")
    left_out = [one.expected for one in missing_pages(entry, paths)]
    if left_out:
        told = ", ".join(left_out[:_SHOWN_MAX])
        scan = Text(zh="补扫缺页。", en="Scan the missing pages.")
        return failed(Text(zh=f"缺第 {told} 页", en=f"pages are missing: {told}"), scan)
    if not entry.pages:
        return not_applicable("未登记页数", "no number of pages is recorded")
    uncounted = [path for path in paths if pages[path] is None]
    if uncounted:
        return not_run(
            Text(
                zh=f"{len(uncounted)} 个文件的页数无法数出",
                en=f"the pages of {Count(len(uncounted)):file|files} could not be counted",
            ),
            Text(zh="安装 danglian[checks]，或人工核对。", en="Install danglian[checks], or count them."),
        )
    for one in page_mismatches(entry, paths, pages):
        seen = Text(
            zh=f"页数 {one.expected}，实有 {one.seen}",
            en=f"{counted(one.expected, 'page', 'pages')} recorded, {one.seen} there",
        )
        return failed(seen, Text(zh="补扫缺页，或改正页数。", en="Scan what is missing, or correct the number."))
    return passed(f"{entry.pages} 页相符", f"all {counted(entry.pages, 'page', 'pages')}")


def content_attr_match(entry: PackageEntry, number: int, survey: Survey) -> Judgement:
    """Size, format and digest that were recorded are those of the file."""
    if not (entry.size_bytes or entry.format or entry.digest):
        return not_applicable("未登记电子属性", "no attributes are recorded")
    files = [file for file, _ in survey.shelf.files.of_entry(number)]
    if not files:
        return not_applicable("没有文件", "has no file")
    total = sum(file.size_bytes for file in files)
    again = Text(zh="核对文件是否被换；改正登记。", en="See whether the file was exchanged; correct the record.")
    if entry.size_bytes and entry.size_bytes != str(total):
        return failed(
            Text(
                zh=f"登记 {entry.size_bytes} 字节，实为 {total}", en=f"{entry.size_bytes} bytes recorded, {total} there"
            ),
            again,
        )
    if entry.format:
        recorded = entry.format.strip(". ").upper()
        real = {identify(survey.package.file(file.path)) for file in files}
        if not any(recorded in {one.format, one.ending.upper()} for one in real):
            seen = ", ".join(sorted({one.format or one.ending for one in real}))
            return failed(Text(zh=f"登记 {recorded}，实为 {seen}", en=f"{recorded} recorded, {seen} there"), again)
    algorithm, _, digest = entry.digest.partition(":")
    if digest and len(files) == 1:
        found = digests_of(survey.package.file(files[0].path), (algorithm,))[algorithm]
        if found != digest.lower():
            return failed(Text(zh=f"{algorithm} 摘要不符", en=f"its {algorithm} digest is another"), again)
    return passed("大小、格式、摘要与登记一致", "size, format and digest are as recorded")


def meta_db_access(entry: PackageEntry, _number: int, survey: Survey) -> Judgement:
    """The entry was read back from the database after loading."""
    if survey.loaded_codes is None:
        return not_run(Text(zh="尚未装载", en="nothing has been loaded yet"))
    if whole_code(entry.ref_code) in survey.loaded_codes:
        return passed("已从数据库读回", "was read back from the database")
    return failed(Text(zh="数据库中读不到", en="is not in the database"), Text(zh="重新装载。", en="Load it again."))


ENTRY_CHECKS: Mapping[str, EntryCheck] = {
    **{
        judge.__name__: _pure(judge)
        for judge in (
            entry_checks.meta_length,
            entry_checks.meta_type_format,
            entry_checks.meta_value_domain,
            entry_checks.meta_reasonable,
            entry_checks.meta_special_chars,
            entry_checks.code_conformity,
            entry_checks.meta_duplicate,
            entry_checks.required_elements,
            entry_checks.secret_mark_valid,
            entry_checks.pii_scan,
            entry_checks.keyword_scan,
        )
    },
    "content_attr_match": content_attr_match,
    "meta_content_link": meta_content_link,
    "content_present": content_present,
    "attachment_present": attachment_present,
    "pages_match": pages_match,
    "meta_db_access": meta_db_access,
}
"""The rules on entries by their ids."""
