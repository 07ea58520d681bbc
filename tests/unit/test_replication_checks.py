"""The four-property checks over whole packages: every rule leaves a trace and fails on its own fault."""

import gzip
import io
import stat
import struct
import sys
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest
from PIL import Image

from protocol.check_results import CheckResult, Outcome, Standing, verdict
from protocol.check_rules import CheckRules, CheckSettings, Phase, Scope
from protocol.errors import StorageFull
from protocol.package_entries import PackageEntry
from protocol.package_facts import Looked, PackageFacts, ProcessStep
from protocol.registration import Registration
from protocol.wording import Text
from replication.checks import images, pdf_files, pdfa_validator, virus_scanner
from replication.checks.opened import no_tool
from replication.checks.rule_table import default_rules
from replication.checks.running import CHECKS, Checks, check
from replication.checks.survey import CheckStage, CheckTools, Survey
from replication.checks.virus_scanner import ScannerAddress, VirusScanner
from replication.packages.catalogue_xml import ITEMS
from replication.packages.official_layout import README, CarrierNote, note_text
from tests.packages_made import CODES, LABEL, TODAY, entry, layout_of, packed, scans
from tests.scanners import clamd

RULES = default_rules()


def jpeg(width: int = 40, height: int = 60) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((width, height), 50).save(content, "JPEG")
    return content.getvalue()


def tiff(pages: int) -> bytes:
    content = io.BytesIO()
    first, *others = (Image.new("L", (40, 60), shade) for shade in range(pages))
    first.save(content, "TIFF", save_all=True, append_images=others)
    return content.getvalue()


def pdf(pages: int = 1, **options: object) -> bytes:
    import pikepdf  # noqa: PLC0415 - a module of its own, slow to load

    content = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(pages):
            made.add_blank_page()
        made.save(content, **options)  # type: ignore[arg-type]  # the library's own options
    return content.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def ofd(pages: int = 1) -> bytes:
    listed = "".join(f'<ofd:Page ID="{page}" BaseLoc="Pages/{page}.xml"/>' for page in range(pages))
    head = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    return zipped(
        {
            "OFD.xml": f"<ofd:OFD {head}><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:OFD>".encode(),
            "Doc_0/Document.xml": f"<ofd:Document {head}><ofd:Pages>{listed}</ofd:Pages></ofd:Document>".encode(),
            **{f"Doc_0/Pages/{page}.xml": f"<ofd:Page {head}/>".encode() for page in range(pages)},
        }
    )


SOUND = {f"{CODES[0]}/0001.jpg": jpeg(), f"{CODES[1]}.pdf": pdf()}
ENTRIES = [entry(1), entry(2)]
STEPS = (ProcessStep(step="packed", done_by="张三", at_ms=1), ProcessStep(step="sent", done_by="张三", at_ms=2))


class CleanScanner(VirusScanner):
    """A scanner that answers without a socket; the socket has tests of its own."""

    def __init__(self, said: str = "stream: OK") -> None:
        super().__init__(ScannerAddress(path="/nowhere"))
        self._said = said

    def version(self) -> str:
        return "ClamAV 1.4.3/27400"

    def scan(self, path: Path) -> virus_scanner.Scan:  # noqa: ARG002 - the name is the interface
        return virus_scanner.Scan(is_clean=self._said.endswith("OK"), said=self._said)


TOOLS = CheckTools(scanner=CleanScanner(), opens_apart=False)


def full_facts(made_digest: str, form: Registration | None = None) -> PackageFacts:
    steps = tuple(msgspec.structs.replace(step, digest=made_digest) for step in STEPS)
    return PackageFacts(
        today=TODAY,
        registration=form,
        sent_digest=made_digest,
        planned_codes=frozenset(CODES),
        held_codes=frozenset(("Z109-WS·2010·Y·BGS-0001",)),
        process=steps,
        environment="Windows 10",
    )


def results(
    path: Path,
    facts: PackageFacts | None = None,
    *,
    phase: Phase = Phase.TRANSFER,
    tools: CheckTools = TOOLS,
    checks: Checks = CHECKS,
    rules: CheckRules = RULES,
) -> list[CheckResult]:
    given = facts or PackageFacts(today=TODAY)
    return list(check(path, given, rules, phase, tools=tools, checks=checks, clock_ms=lambda: 7))


def of(found: list[CheckResult], rule: str) -> list[Outcome]:
    return [one.outcome for one in found if one.rule == rule]


def outcome(found: list[CheckResult], rule: str, item: str = "") -> Outcome:
    return next(one.outcome for one in found if one.rule == rule and item in (one.entry, one.path))


def layout(folder: Path, entries: list[PackageEntry], files: dict[str, bytes]) -> Path:
    """A folder in the official layout, without manifests."""
    scans(folder / "电子档案", files)
    return layout_of(folder, entries)


# The whole


def test_a_sound_package_passes_with_a_trace_of_every_rule(tmp_path: Path) -> None:
    made = packed(tmp_path, ENTRIES, SOUND)

    found = results(made.path, full_facts(made.digest))
    judged = verdict(found, RULES, Phase.TRANSFER)

    assert [(tally.rule, tally.counts) for tally in judged.standing_in_the_way()] == []
    assert judged.standing is Standing.PASSED
    assert {one.rule for one in found} == {rule.id for rule in RULES.of(Phase.TRANSFER)}
    assert {one.checked_at_ms for one in found} == {7}
    assert [one for one in found if not one.evidence.zh or not one.evidence.en] == []


@pytest.mark.parametrize("phase", list(Phase))
def test_a_phase_applies_its_own_rules(tmp_path: Path, phase: Phase) -> None:
    made = packed(tmp_path, ENTRIES, SOUND)

    found = results(made.path, full_facts(made.digest), phase=phase)

    assert {one.rule for one in found} == {rule.id for rule in RULES.of(phase)}
    assert {one.phase for one in found} == {phase}


def broken(*_given: object) -> NoReturn:
    raise RuntimeError("the rule itself is broken")


def demanding(rule: str) -> CheckRules:
    """A table in which the verdict hangs on one rule."""
    rules = tuple(
        msgspec.structs.replace(one, mandatory=(Phase.TRANSFER,) if one.id == rule else ()) for one in RULES.rules
    )
    return CheckRules(rules=rules, settings=RULES.settings)


ALL_RULES = [(rule.id, rule.scope) for rule in RULES.rules]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    made = packed(tmp_path_factory.mktemp("sound"), ENTRIES, SOUND)
    return made.path, made.digest


@pytest.mark.parametrize(("rule", "scope"), ALL_RULES)
def test_a_rule_that_throws_has_not_run_and_is_never_passed(sound: tuple[Path, str], rule: str, scope: Scope) -> None:
    """Archivematica's checksum step said "succeeded" over what it could not parse (archivematica/Issues#1061)."""
    path, digest = sound
    checks = msgspec.structs.replace(CHECKS, **{scope.value: {**getattr(CHECKS, scope.value), rule: broken}})
    rules = demanding(rule)

    found = results(path, full_facts(digest), checks=checks, rules=rules)

    assert set(of(found, rule)) == {Outcome.NOT_RUN}
    assert "RuntimeError: the rule itself is broken" in next(one.evidence.en for one in found if one.rule == rule)
    assert verdict(found, rules, Phase.TRANSFER).standing is Standing.UNPROVEN
    assert {one.rule for one in found} == {one.id for one in rules.rules}


@pytest.mark.parametrize(("rule", "scope"), ALL_RULES)
def test_a_rule_that_is_left_out_is_not_passed(sound: tuple[Path, str], rule: str, scope: Scope) -> None:
    """A program without the rule, and a report without its trace, both fail closed."""
    path, digest = sound
    without = {name: judge for name, judge in getattr(CHECKS, scope.value).items() if name != rule}
    checks = msgspec.structs.replace(CHECKS, **{scope.value: without})
    found = results(path, full_facts(digest), checks=checks)
    traceless = [one for one in found if one.rule != rule]
    demanded = demanding(rule)

    assert set(of(found, rule)) == {Outcome.NOT_RUN}
    assert verdict(found, demanded, Phase.TRANSFER).standing is Standing.UNPROVEN
    assert verdict(traceless, demanded, Phase.TRANSFER).standing is Standing.UNPROVEN


def test_work_that_is_told_to_stop_stops(tmp_path: Path) -> None:
    """What stops the work is no fault of a rule, and is not swallowed as one."""
    made = packed(tmp_path, ENTRIES, SOUND)
    seen = []

    def stop(stage: CheckStage, _done: int, _total: int) -> None:
        seen.append(stage)
        if stage is CheckStage.FILES:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(check(made.path, PackageFacts(today=TODAY), RULES, Phase.FILING, stop))

    assert seen[-1] is CheckStage.FILES


@pytest.mark.parametrize("stop", [StorageFull(Text(zh="满", en="full")), KeyboardInterrupt()])
def test_a_package_is_let_go_of_however_its_look_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: BaseException
) -> None:
    """What is in hand is a file of working notes, and a program that opens files."""
    made = packed(tmp_path, ENTRIES, SOUND)
    closed: list[Survey] = []

    def noted(survey: Survey) -> None:
        closed.append(survey)

    monkeypatch.setattr(Survey, "close", noted)

    def stopped(_stage: CheckStage, _done: int, _total: int) -> None:
        raise stop

    found = check(made.path, PackageFacts(today=TODAY), RULES, Phase.FILING, stopped)
    if isinstance(stop, StorageFull):
        assert {one.outcome for one in found} == {Outcome.NOT_RUN}
    else:
        with pytest.raises(KeyboardInterrupt):
            list(found)

    assert len(closed) == 1


@pytest.mark.parametrize("name", ["absent", "x.zip", "METS"])
def test_what_is_no_package_fails_and_nothing_else_is_passed(tmp_path: Path, name: str) -> None:
    scans(tmp_path, {"x.zip": b"PK\x03\x04", "METS/METS.xml": b"<mets/>"})

    found = results(tmp_path / name)

    assert of(found, "package_structure") == [Outcome.FAILED]
    assert {one.outcome for one in found if one.rule != "package_structure"} == {Outcome.NOT_RUN}


def test_a_catalogue_that_cannot_be_read_leaves_no_entry_rule_passed(tmp_path: Path) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)
    (root / ITEMS).write_bytes(b"<a><b></a>")

    found = results(root)

    assert of(found, "meta_readable") == [Outcome.FAILED]
    assert of(found, "required_elements") == [Outcome.NOT_RUN]
    assert {*of(found, "scope_check"), *of(found, "continuity"), *of(found, "count_match")} == {Outcome.NOT_RUN}


def test_a_persons_word_counts_only_where_a_person_is_asked(tmp_path: Path) -> None:
    made = packed(tmp_path, [entry(1)], {f"{CODES[0]}.mp4": b"\x00\x00\x00\x18ftypmp42"})
    looked = (
        Looked(rule="content_open", item=CODES[0], outcome=Outcome.PASSED, by="李四", at_ms=1, note="已播放"),
        Looked(rule="env_recorded", outcome=Outcome.PASSED, by="李四", at_ms=1),
    )

    found = results(made.path, PackageFacts(today=TODAY, looked=looked))
    opened = next(one for one in found if one.rule == "content_open")

    assert (opened.outcome, opened.tool, "李四" in opened.evidence.zh) == (Outcome.PASSED, "person", True)
    assert of(found, "env_recorded") == [Outcome.FAILED]
    assert of(results(made.path), "content_open") == [Outcome.MANUAL]


def test_a_rule_that_is_unknown_to_the_table_is_never_waved_through() -> None:
    strange = CheckResult(
        rule="new_rule", phase=Phase.TRANSFER, outcome=Outcome.FAILED, evidence=RULES.rules[0].name, entry="a"
    )

    assert RULES.is_mandatory("new_rule", Phase.TRANSFER) is True
    in_the_way = verdict([strange], RULES, Phase.TRANSFER).standing_in_the_way()
    assert [(one.rule, one.failed_items) for one in in_the_way if one.counts] == [("new_rule", ("a",))]


# Each rule on its own fault


def test_fixity_valid_finds_a_changed_missing_and_added_file(tmp_path: Path) -> None:
    made = packed(tmp_path, ENTRIES, SOUND)
    scan = made.path / "data/电子档案" / CODES[0] / "0001.jpg"
    scan.unlink()
    scan.write_bytes(jpeg())
    (made.path / "data/电子档案/added.jpg").write_bytes(jpeg())

    found = results(made.path)

    assert outcome(found, "fixity_valid", f"电子档案/{CODES[0]}/0001.jpg") is Outcome.FAILED
    assert outcome(found, "fixity_valid", "电子档案/added.jpg") is Outcome.FAILED
    assert outcome(found, "fixity_valid", f"电子档案/{CODES[1]}.pdf") is Outcome.PASSED
    assert of(found, "package_structure") == [Outcome.FAILED]
    assert of(found, "carrier_extra_files") == [Outcome.FAILED]


def test_fixity_is_not_run_where_nobody_recorded_a_digest(tmp_path: Path) -> None:
    root = layout(tmp_path, [entry(1, digest=f"sha256:{'0' * 64}"), entry(2)], SOUND)

    found = results(root)

    assert outcome(found, "fixity_valid", CODES[0]) is Outcome.FAILED
    assert outcome(found, "fixity_valid", CODES[1]) is Outcome.NOT_RUN


def test_package_same_as_sent_wants_the_digest_from_elsewhere(tmp_path: Path) -> None:
    made = packed(tmp_path, ENTRIES, SOUND)

    def judged(sent: str) -> list[Outcome]:
        return of(results(made.path, PackageFacts(today=TODAY, sent_digest=sent)), "package_same_as_sent")

    assert (judged(made.digest), judged("0" * 64), judged("")) == (
        [Outcome.PASSED],
        [Outcome.FAILED],
        [Outcome.NOT_RUN],
    )


def test_names_that_another_system_loses_fail_the_structure(tmp_path: Path) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)
    (root / "电子档案/link").symlink_to(tmp_path)

    assert of(results(root), "package_structure") == [Outcome.FAILED]


@pytest.mark.parametrize(
    ("field", "rule"), [("entries", "count_match"), ("files", "count_match"), ("size_bytes", "bytes_match")]
)
def test_counts_that_differ_from_the_form_fail(tmp_path: Path, field: str, rule: str) -> None:
    made = packed(tmp_path, ENTRIES, SOUND)
    form = msgspec.structs.replace(made.registration, **{field: getattr(made.registration, field) + 1})

    assert of(results(made.path, PackageFacts(today=TODAY, registration=form)), rule) == [Outcome.FAILED]
    assert of(results(made.path), rule) == [Outcome.PASSED]


def test_counts_are_not_run_without_any_form(tmp_path: Path) -> None:
    found = results(layout(tmp_path, ENTRIES, SOUND))

    assert of(found, "count_match") + of(found, "bytes_match") == [Outcome.NOT_RUN] * 2


def test_process_and_scope_are_judged_by_what_the_caller_knows(tmp_path: Path) -> None:
    made = packed(tmp_path, ENTRIES, SOUND)
    changed = (msgspec.structs.replace(STEPS[0], digest="0" * 64), STEPS[1])
    lacking = (msgspec.structs.replace(STEPS[0], done_by=""),)

    def judged(rule: str, **facts: object) -> list[Outcome]:
        given = msgspec.structs.replace(PackageFacts(today=TODAY), **facts)
        return of(results(made.path, given), rule)

    assert judged("process_info", process=STEPS) == [Outcome.PASSED]
    assert judged("process_info", process=lacking) == judged("process_info", process=()) == [Outcome.FAILED]
    assert judged("transfer_process_safe", process=changed) == [Outcome.FAILED]
    assert judged("transfer_process_safe", process=STEPS) == [Outcome.NOT_RUN]
    assert judged("scope_check", planned_codes=frozenset((*CODES, "Z109-X-9"))) == [Outcome.FAILED]
    assert judged("scope_check", planned_codes=frozenset(CODES[:1])) == [Outcome.FAILED]
    assert judged("scope_check", planned_codes=frozenset(("z109-ws.2011.y.bgs-1", CODES[1]))) == [Outcome.PASSED]


def test_gaps_in_running_numbers_fail_and_gaps_in_codes_are_shown(tmp_path: Path) -> None:
    two_gone = [entry(1), entry(4, sequence="2")]
    broken_off = [entry(1), entry(2, sequence="3")]
    repeated = [entry(1), entry(2, sequence="1")]

    def judged(entries: list[PackageEntry], name: str) -> list[Outcome]:
        return of(results(layout(tmp_path / name, entries, SOUND)), "continuity")

    assert judged(two_gone, "a") == [Outcome.MANUAL]
    assert judged(broken_off, "b") == judged(repeated, "c") == [Outcome.FAILED]


def test_content_links_pages_and_attachments_are_judged_entry_by_entry(tmp_path: Path) -> None:
    files = {
        f"{CODES[0]}/0001.jpg": jpeg(),
        f"{CODES[0]}/0003.jpg": jpeg(),
        f"{CODES[1]}.tif": tiff(3),
        "Z109-WS·2011·Y·BGS-0003/正文.pdf": pdf(2),
    }
    entries = [
        entry(1, pages="2"),
        entry(2, pages="4"),
        entry(3, pages="2", attachments="正文;附图"),
        entry(4),
        entry(5, form="paper"),
        entry(6, file_name="nowhere.pdf"),
    ]
    found = results(layout(tmp_path, entries, files))

    def judged(rule: str) -> list[str]:
        return [one.outcome.value for one in found if one.rule == rule]

    present = ["passed", "passed", "passed", "failed", "not_applicable", "failed"]
    assert judged("content_present") == present
    assert judged("pages_match") == ["failed", "failed", "passed", *["not_applicable"] * 3]
    assert judged("attachment_present") == [*["not_applicable"] * 2, "failed", *["not_applicable"] * 3]
    assert judged("meta_content_link")[-1] == "failed"


def test_an_entry_whose_code_stands_twice_does_not_get_a_scan_by_luck(tmp_path: Path) -> None:
    found = results(layout(tmp_path, [entry(1), entry(2, ref_code=CODES[0])], {f"{CODES[0]}.jpg": jpeg()}))

    assert of(found, "meta_content_link") == of(found, "meta_duplicate") == [Outcome.FAILED] * 2


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"size_bytes": "1"}, Outcome.FAILED),
        ({"format": "TIFF"}, Outcome.FAILED),
        ({"digest": f"sha256:{'0' * 64}"}, Outcome.FAILED),
        ({"format": ".pdf", "size_bytes": str(len(SOUND[f"{CODES[1]}.pdf"]))}, Outcome.PASSED),
        ({}, Outcome.NOT_APPLICABLE),
    ],
)
def test_recorded_attributes_are_those_of_the_file(tmp_path: Path, changes: dict[str, str], expected: Outcome) -> None:
    found = results(layout(tmp_path, [entry(2, **changes)], {f"{CODES[1]}.pdf": SOUND[f"{CODES[1]}.pdf"]}))

    assert of(found, "content_attr_match") == [expected]


def test_loading_is_judged_by_what_was_read_back(tmp_path: Path) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)

    found = results(root, PackageFacts(today=TODAY, loaded_codes=frozenset(CODES[:1])), phase=Phase.KEEPING)

    assert of(found, "meta_db_access") == [Outcome.PASSED, Outcome.FAILED]


def test_a_carrier_is_looked_at_by_a_person(tmp_path: Path) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)

    found = results(root, PackageFacts(today=TODAY, is_online=False))

    assert of(found, "carrier_look") + of(found, "disc_quality") == [Outcome.MANUAL] * 2
    assert of(results(root), "carrier_look") == [Outcome.NOT_APPLICABLE]


def test_an_environment_that_nobody_recorded_fails(tmp_path: Path) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)
    assert of(results(root), "env_recorded") == [Outcome.PASSED]

    (root / README).write_bytes(note_text(CarrierNote()))

    assert of(results(root), "env_recorded") == [Outcome.FAILED]


# Files


def sound_file(seconds: int) -> bytes:
    content = io.BytesIO()
    with wave.open(content, "wb") as made:
        made.setnchannels(1)
        made.setsampwidth(1)
        made.setframerate(8000)
        made.writeframes(b"\x80" * 8000 * seconds)
    return content.getvalue()


def locked_zip() -> bytes:
    """A ZIP whose member says that it is encrypted."""
    content = bytearray(zipped({"a.txt": b"x" * 50}))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + place] |= 1
    return bytes(content)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

FILES: dict[str, tuple[bytes, str, str, str]] = {
    "a.jpg": (jpeg(), "passed", "passed", "passed"),
    "cut.jpg": (jpeg(400, 400)[:8000], "failed", "passed", "passed"),
    "a.tif": (tiff(2), "passed", "passed", "passed"),
    "cut.tif": (tiff(2)[:1500], "failed", "passed", "passed"),
    "a.pdf": (pdf(3), "passed", "passed", "passed"),
    "cut.pdf": (pdf(3)[:200], "failed", "passed", "not_run"),
    "junk.pdf": (b"%PDF-1.7\n" + b"x" * 999, "failed", "passed", "not_run"),
    "a.ofd": (ofd(2), "passed", "passed", "passed"),
    "cut.ofd": (ofd(2)[:-40], "failed", "passed", "not_run"),
    "a.xml": (b"<a><b/></a>", "passed", "passed", "passed"),
    "bad.xml": (b"<?xml version='1.0'?><a><b></a>", "failed", "passed", "passed"),
    "a.txt": ("档案".encode("gb18030"), "passed", "passed", "passed"),
    "a.wav": (sound_file(1), "passed", "passed", "passed"),
    "cut.wav": (sound_file(1)[:4000], "failed", "passed", "passed"),
    "a.mp3": (b"ID3\x03", "manual", "passed", "passed"),
    "empty.pdf": (b"", "failed", "failed", "passed"),
    "program.pdf": (b"MZ\x90\x00" + b"\0" * 99, "manual", "failed", "passed"),
    "scan.pdf": (jpeg(), "passed", "failed", "passed"),
    "a.docx": (zipped({"[Content_Types].xml": b"<a/>"}), "manual", "failed", "passed"),
    "a.zip": (zipped({"a.txt": b"1"}), "manual", "failed", "failed"),
    "locked.zip": (locked_zip(), "manual", "failed", "failed"),
    "bomb.zip": (zipped({"zeros": bytes(50_000_000)}), "manual", "failed", "failed"),
    "bomb.gz": (gzip.compress(bytes(50_000_000)), "manual", "failed", "failed"),
    "locked.rar": (b"Rar!\x1a\x07\x01\x00" + struct.pack("<I", 0) + b"\x0a\x04", "manual", "failed", "failed"),
    "locked.doc": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"),
        "manual",
        "failed",
        "failed",
    ),
    "noise.bin": (bytes(range(256)) * 4, "manual", "failed", "passed"),
}


@pytest.fixture(scope="module")
def judged_files(tmp_path_factory: pytest.TempPathFactory) -> list[CheckResult]:
    root = layout(tmp_path_factory.mktemp("files"), ENTRIES, {name: case[0] for name, case in FILES.items()})
    return results(root, phase=Phase.FILING)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_opened_for_real_and_judged(judged_files: list[CheckResult], name: str) -> None:
    found = {one.rule: one.outcome.value for one in judged_files if one.path == f"电子档案/{name}"}
    _, opened, formatted, unlocked = FILES[name]

    assert (found["content_open"], found["format_whitelist"], found["no_private_compression_or_encryption"]) == (
        opened,
        formatted,
        unlocked,
    )


def test_a_bomb_a_lock_and_an_archive_within_are_named(tmp_path: Path) -> None:
    nested = zipped({"inner.zip": zipped({"a": b"1"}), "b.txt": b"2"})
    files = {"bomb.zip": FILES["bomb.zip"][0], "locked.zip": locked_zip(), "nested.zip": nested}

    found = results(layout(tmp_path, ENTRIES, files), phase=Phase.FILING)
    told = [
        one.evidence.en
        for one in found
        if one.rule == "no_private_compression_or_encryption" and "电子档案" in one.path
    ]

    assert told == [
        "seems to be a bomb (1 / 50000000 bytes)",
        "ZIP that asks for a password",
        "is a packed file, ZIP with inner.zip in it",
    ]


def test_a_pdf_with_a_password_is_locked(tmp_path: Path) -> None:
    import pikepdf  # noqa: PLC0415 - as above

    locked = pdf(encryption=pikepdf.Encryption(owner="o", user="u"))
    protected = pdf(encryption=pikepdf.Encryption(owner="o", user=""))

    found = results(layout(tmp_path, ENTRIES, {"locked.pdf": locked, "protected.pdf": protected}), phase=Phase.FILING)

    assert outcome(found, "content_open", "电子档案/locked.pdf") is Outcome.FAILED
    assert outcome(found, "content_open", "电子档案/protected.pdf") is Outcome.PASSED
    rule = "no_private_compression_or_encryption"
    assert [outcome(found, rule, f"电子档案/{name}.pdf") for name in ("locked", "protected")] == [Outcome.FAILED] * 2


def test_an_image_too_large_for_the_memory_is_shown_to_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "PIXEL_BYTES_MAX", 1000)

    found = results(layout(tmp_path, ENTRIES, {"big.tif": tiff(1)}), phase=Phase.FILING)

    assert outcome(found, "content_open", "电子档案/big.tif") is Outcome.MANUAL


@pytest.mark.parametrize("library", ["pikepdf", "PIL"])
def test_an_absent_library_is_not_run_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    root = layout(tmp_path, ENTRIES, SOUND)

    found = [one for one in results(root, phase=Phase.FILING) if one.rule == "content_open"]
    absent = [one for one in found if one.outcome is Outcome.NOT_RUN]

    assert [one.remedy.en for one in absent] == ["Install danglian[checks] and check again."]
    assert no_tool("pikepdf", "PDF").openness.value == "no_tool"


# PDF/A


def archival(claim: str) -> bytes:
    import pikepdf  # noqa: PLC0415 - as above

    content = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        with made.open_metadata() as metadata:
            metadata["pdfaid:part"] = claim
            metadata["pdfaid:conformance"] = "B"
        made.trailer.ID = pikepdf.Array([b"0" * 16, b"0" * 16])
        made.save(content)
    return content.getvalue()


def test_a_claim_to_be_pdfa_proves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"claims.pdf": archival("1"), "plain.pdf": pdf()}
    root = layout(tmp_path, ENTRIES, files)
    found = results(root, phase=Phase.FILING)

    assert outcome(found, "longterm_format", "电子档案/claims.pdf") is Outcome.NOT_RUN
    assert outcome(found, "longterm_format", "电子档案/plain.pdf") is Outcome.FAILED
    assert pdf_files.pdfa_disproof(root / "电子档案/claims.pdf") == ("1b", None)


VALIDATOR = """#!{python}
import sys
if "--version" in sys.argv:
    print("veraPDF 1.28.2")
else:
    print({answer!r})
"""

JUDGED = (
    '<report><jobs><job><validationReport jobEndStatus="normal" profileName="PDF/A-1B validation profile"'
    ' isCompliant="{}"/></job></jobs></report>'
)


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in is a script with an interpreter line")
@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (JUDGED.format("true"), Outcome.PASSED),
        (JUDGED.format("false"), Outcome.FAILED),
        ("Exception", Outcome.NOT_RUN),
    ],
)
def test_a_validator_that_is_installed_decides(tmp_path: Path, answer: str, expected: Outcome) -> None:
    program = tmp_path / "verapdf"
    program.write_text(VALIDATOR.format(python=sys.executable, answer=answer), encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    tools = CheckTools(validator=pdfa_validator.PdfaValidator(str(program)), opens_apart=False)

    found = results(layout(tmp_path / "p", ENTRIES, {"a.pdf": pdf()}), phase=Phase.FILING, tools=tools)

    assert outcome(found, "longterm_format", "电子档案/a.pdf") is expected


def test_a_validator_that_cannot_be_started_has_not_run(tmp_path: Path) -> None:
    tools = CheckTools(validator=pdfa_validator.PdfaValidator(str(tmp_path / "gone")), opens_apart=False)

    found = results(layout(tmp_path / "p", ENTRIES, {"a.pdf": pdf()}), phase=Phase.FILING, tools=tools)

    assert outcome(found, "longterm_format", "电子档案/a.pdf") is Outcome.NOT_RUN


# The scanner


EICAR_LIKE = b"a harmless text that the stand-in takes for a virus"


def scanned(content: bytes) -> bytes:
    return b"stream: Test-Signature FOUND\0" if EICAR_LIKE in content else b"stream: OK\0"


def test_every_file_is_sent_to_the_scanner_and_its_word_is_taken(tmp_path: Path) -> None:
    files = {f"{CODES[0]}.txt": EICAR_LIKE, f"{CODES[1]}.txt": b"x" * 3_000_000}
    root = layout(tmp_path, ENTRIES, files)
    stand_in = clamd(scanned)
    scanner, taken = next(stand_in)
    try:
        found = results(root, tools=CheckTools(scanner=scanner, opens_apart=False))
    finally:
        stand_in.close()  # type: ignore[attr-defined]  # it is a generator

    scans_of = {one.path: one for one in found if one.rule == "virus_scan"}
    infected = scans_of[f"电子档案/{CODES[0]}.txt"]
    assert (infected.outcome, infected.evidence.en, infected.tool_version[:6]) == (
        Outcome.FAILED,
        "Test-Signature FOUND",
        "ClamAV",
    )
    assert scans_of[f"电子档案/{CODES[1]}.txt"].outcome is Outcome.PASSED
    assert max(map(len, taken)) == 3_000_000
    assert len(taken) == len(scans_of) == 5


@pytest.mark.parametrize("said", [b"INSTREAM size limit exceeded. ERROR\0", b""])
def test_a_scanner_that_does_not_come_to_say_is_not_clean(tmp_path: Path, said: bytes) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)
    stand_in = clamd(lambda _content: said)
    scanner, _ = next(stand_in)
    try:
        found = results(root, tools=CheckTools(scanner=scanner, opens_apart=False))
    finally:
        stand_in.close()  # type: ignore[attr-defined]  # it is a generator

    assert set(of(found, "virus_scan")) == {Outcome.NOT_RUN}


def test_a_scanner_that_is_down_is_not_run(tmp_path: Path, free_port: Callable[[], int]) -> None:
    root = layout(tmp_path, ENTRIES, SOUND)
    down = VirusScanner(ScannerAddress(host="127.0.0.1", port=free_port()))
    nowhere = VirusScanner(ScannerAddress(path=str(tmp_path / "clamd.ctl")))

    for scanner in (down, nowhere, None):
        tools = CheckTools(scanner=scanner, opens_apart=False)
        assert set(of(results(root, tools=tools), "virus_scan")) == {Outcome.NOT_RUN}


def test_settings_of_the_county_decide(tmp_path: Path) -> None:
    settings = CheckSettings(formats=("TIFF",), keywords=("山林",), required=("doc_no",), title_chars_max=5)
    rules = CheckRules(rules=RULES.rules, settings=settings)

    found = results(layout(tmp_path, [entry(1)], {f"{CODES[0]}.jpg": jpeg()}), rules=rules)

    assert {
        rule: of(found, rule)[0].value
        for rule in ("format_whitelist", "keyword_scan", "required_elements", "meta_length")
    } == {
        "format_whitelist": "failed",
        "keyword_scan": "manual",
        "required_elements": "failed",
        "meta_length": "failed",
    }


def test_an_eep_file_is_checked_like_any_package(tmp_path: Path) -> None:
    from replication.packages.eep_writing import EepEntry, eep_pieces  # noqa: PLC0415 - only here
    from replication.packages.packing import SourceFile  # noqa: PLC0415 - only here

    scans(tmp_path, {"scan": jpeg()})
    item = EepEntry(entry=entry(1), files=(SourceFile(source=tmp_path / "scan", path=f"{CODES[0]}.jpg"),))
    (tmp_path / "x.xml").write_bytes(b"".join(eep_pieces([item], created_at="2026", created_by="x")))
    (tmp_path / "work").mkdir()

    facts = PackageFacts(today=TODAY)
    found = list(check(tmp_path / "x.xml", facts, RULES, Phase.FILING, workplace=tmp_path / "work"))

    assert of(found, "content_open") == of(found, "content_present") == [Outcome.PASSED]


def test_the_label_of_the_tests_is_a_form() -> None:
    assert LABEL.registration.giver.unit == "天荒坪镇档案室"
