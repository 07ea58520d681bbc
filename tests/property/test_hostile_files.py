"""Scans and documents that were cut or spoilt anywhere: a judgement in both languages, and no crash."""

import io
import tempfile
import zipfile
from pathlib import Path

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from protocol.check_results import CheckResult, Outcome
from protocol.check_rules import Phase
from protocol.package_facts import PackageFacts
from replication.checks.rule_table import default_rules
from replication.checks.running import check
from replication.checks.survey import CheckTools
from tests.packages_made import TODAY, entry, layout_of

RULES = default_rules()
OFD_HEAD = 'xmlns:ofd="http://www.ofdspec.org/2016"'
RULES_OF_FILES = {"content_open", "format_whitelist", "longterm_format", "no_private_compression_or_encryption"}


def image(form: str, mode: str = "RGB", **options: object) -> bytes:
    content = io.BytesIO()
    Image.effect_noise((60, 80), 50).convert(mode).save(content, form, **options)
    return content.getvalue()


def pdf(**options: object) -> bytes:
    content = io.BytesIO()
    with pikepdf.new() as made:
        for _ in range(3):
            made.add_blank_page()
        made.Root.Info = pikepdf.Stream(made, bytes(5_000))
        made.save(content, **options)  # type: ignore[arg-type]  # the library's own options
    return content.getvalue()


def ofd(extra: dict[str, bytes] | None = None) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("OFD.xml", f"<ofd:OFD {OFD_HEAD}><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:OFD>")
        page = '<ofd:Page ID="1" BaseLoc="Pages/1.xml"/>'
        archive.writestr("Doc_0/Document.xml", f"<ofd:Document {OFD_HEAD}><ofd:Pages>{page}</ofd:Pages></ofd:Document>")
        archive.writestr("Doc_0/Pages/1.xml", f"<ofd:Page {OFD_HEAD}/>")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return content.getvalue()


SOUND = {
    "a.jpg": image("JPEG"),
    "progressive.jpg": image("JPEG", progressive=True),
    "cmyk.jpg": image("JPEG", "CMYK"),
    "a.tif": image("TIFF"),
    "fax.tif": image("TIFF", "1", compression="group4"),
    "lzw.tif": image("TIFF", compression="tiff_lzw"),
    "big.tif": image("TIFF", big_tiff=True),
    "a.pdf": pdf(),
    "packed.pdf": pdf(object_stream_mode=pikepdf.ObjectStreamMode.generate),
    "a.ofd": ofd(),
}


def judged(name: str, content: bytes) -> dict[str, CheckResult]:
    """What the rules on files say of one file."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "电子档案").mkdir()
        (Path(folder) / "电子档案" / name).write_bytes(content)
        layout_of(Path(folder), [entry(1)])
        tools = CheckTools(opens_apart=False)
        found = check(Path(folder), PackageFacts(today=TODAY), RULES, Phase.FILING, tools=tools)
        return {one.rule: one for one in found if one.path.endswith(name) and one.rule in RULES_OF_FILES}


def is_judged_in_words(found: dict[str, CheckResult]) -> bool:
    """Every rule left words in both languages, none broke, and none repeats a path of this machine."""
    said = [text for one in found.values() for text in (one.evidence.zh, one.evidence.en)]
    return set(found) == RULES_OF_FILES and all(
        text and "the rule broke" not in text and tempfile.gettempdir() not in text for text in said
    )


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_opens(name: str) -> None:
    assert judged(name, SOUND[name])["content_open"].outcome is Outcome.PASSED


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(SOUND)), st.floats(0, 0.98))
def test_what_was_cut_anywhere_is_never_said_to_be_whole(name: str, share: float) -> None:
    content = SOUND[name]

    found = judged(name, content[: int(len(content) * share)])

    assert is_judged_in_words(found)
    assert found["content_open"].outcome is not Outcome.PASSED


@settings(max_examples=120, deadline=None)
@given(st.sampled_from(sorted(SOUND)), st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))))
def test_spoilt_bytes_make_no_rule_break(name: str, spoilt: list[tuple[float, int]]) -> None:
    content = bytearray(SOUND[name])
    for share, byte in spoilt:
        content[int(len(content) * share)] = byte

    assert is_judged_in_words(judged(name, bytes(content)))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(SOUND)), st.sampled_from(["pdf", "ofd", "tif", "jpg", "txt", "xml", "docx", "wav"]))
def test_a_name_that_says_something_else_is_found(name: str, ending: str) -> None:
    same = {name.rpartition(".")[2], ending} in ({"jpg"}, {"tif"}, {"pdf"}, {"ofd"})

    found = judged(f"x.{ending}", SOUND[name])

    assert is_judged_in_words(found)
    assert found["format_whitelist"].outcome is (Outcome.PASSED if same else Outcome.FAILED)


def twelve_bits() -> bytes:
    """A JPEG whose frame names twelve bits a sample, as scanners for films write it."""
    content = bytearray(image("JPEG"))
    content[content.index(b"\xff\xc0") + 4] = 12
    return bytes(content)


def embedding() -> bytes:
    content = io.BytesIO()
    with pikepdf.new() as made:
        made.add_blank_page()
        made.attachments["合同.exe"] = b"MZ"
        made.save(content)
    return content.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "rule", "expected", "told"),
    [
        ("a.jpg", twelve_bits(), "content_open", Outcome.MANUAL, "12 bits a sample"),
        ("a.pdf", embedding(), "no_private_compression_or_encryption", Outcome.FAILED, "合同.exe"),
        ("a.pdf", pdf() + ofd(), "no_private_compression_or_encryption", Outcome.FAILED, "hidden behind it"),
        ("a.jpg", image("JPEG") + ofd(), "no_private_compression_or_encryption", Outcome.FAILED, "hidden behind it"),
        (
            "a.pdf",
            pdf(encryption=pikepdf.Encryption(user="", owner="o", R=6)),
            "no_private_compression_or_encryption",
            Outcome.FAILED,
            "encrypted",
        ),
        ("a.ofd", ofd({"../../x": b"1"}), "no_private_compression_or_encryption", Outcome.FAILED, "leads out"),
        ("a.ofd", ofd({"Doc_0\\Document.xml": b"1"}), "content_open", Outcome.FAILED, "× 2"),
        (
            "a.xml",
            b'<?xml version="1.0"?><a b="' + b"x" * 4_000_000 + b'"/>',
            "content_open",
            Outcome.FAILED,
            "too long",
        ),
        (
            "a.xml",
            b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
            "content_open",
            Outcome.FAILED,
            "entities",
        ),
    ],
)
def test_what_hides_in_a_file_is_named(name: str, content: bytes, rule: str, expected: Outcome, told: str) -> None:
    found = judged(name, content)[rule]

    assert (found.outcome, told in found.evidence.en) == (expected, True)
