"""The table of rules, and reports: errors name their line, and a report that was cut or changed is no report."""

import hashlib
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from protocol.check_reports import ReportEnd, ReportHead
from protocol.check_results import ITEMS_NAMED_MAX, CheckResult, Outcome, Standing, verdict
from protocol.check_rules import Phase
from protocol.errors import BadFile, BadSetting
from protocol.wording import Text
from replication.checks.reports import read_report, results_of, write_report
from replication.checks.rule_table import default_rules, parse_rules, phase_of, read_rules, rules_digest
from replication.checks.running import CHECKS
from replication.checks.virus_scanner import ScannerAddress, scanner_address

RULES = default_rules()
OWN = (Path(__file__).parents[2] / "replication/checks/rules.toml").read_text(encoding="utf-8")


# The table


def test_every_rule_of_the_table_does_something_and_nothing_else_does() -> None:
    done = {"entry": CHECKS.entry, "file": CHECKS.file, "package": CHECKS.package}

    assert {(rule.id, rule.scope.value) for rule in RULES.rules} == {
        (rule, scope) for scope, rules in done.items() for rule in rules
    }
    assert len(RULES.rules) == 37


def test_every_rule_says_why_it_is_mandatory_or_not() -> None:
    assert [rule.id for rule in RULES.rules if not (rule.reason.zh and rule.reason.en and rule.name.zh)] == []
    assert [len([rule for rule in RULES.rules if phase in rule.mandatory]) for phase in Phase] == [20, 31, 12]


def test_a_county_may_write_its_own_table(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    changed = OWN.replace("[settings]", '[settings]\nkeywords = ["秘方"]\ntitle-chars-max = 100', 1)
    path.write_text("\ufeff" + changed, encoding="utf-8")

    found = read_rules(path)

    assert (found.settings.keywords, found.settings.title_chars_max) == (("秘方",), 100)
    assert (rules_digest(found) != rules_digest(RULES), rules_digest(parse_rules(OWN, "x"))) == (
        True,
        rules_digest(RULES),
    )


@pytest.mark.parametrize(
    ("was", "becomes", "told"),
    [
        ('id = "meta_length"', 'id = "meta_lenght"', "there is no rule meta_lenght"),
        ('id = "meta_length"', 'id = "fixity_valid"', "stands there twice"),
        ('scope = "entry"', 'scope = "file"', "meta_length looks at entry"),
        ('dimension = "authenticity"\nscope = "entry"', 'dimension = "beauty"\nscope = "entry"', "beauty"),
        ('phases = ["GD", "YJ"]', 'phases = ["GD", "XX"]', "XX"),
        ('phases = ["GD", "YJ"]', 'phases = ["GD"]', "mandatory where it is not applied"),
        ('en = "a long value is cut when it is loaded elsewhere"', 'en = " "', "has no reason"),
        ('id = "meta_length"', 'id = "meta_length"\nsecret = 1', "secret"),
    ],
)
def test_a_fault_of_the_table_is_named_with_its_line(tmp_path: Path, was: str, becomes: str, told: str) -> None:
    path = tmp_path / "ours.toml"
    at = OWN.index('id = "meta_length"')
    text = OWN[: OWN.rindex("[[rules]]", 0, at)] + OWN[OWN.rindex("[[rules]]", 0, at) :].replace(was, becomes, 1)
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadSetting) as refused:
        read_rules(path)

    begins = OWN[:at].count("\n")
    assert f"ours.toml, line {begins}:" in refused.value.reason.en
    assert told in refused.value.reason.en


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[rules]\n", "no TOML"),
        ("rules = []\n", "the rule fixity_valid is missing"),
        (OWN.replace("[settings]", '[settings]\nrequired = ["colour"]', 1), "there is no field colour"),
        (OWN.replace("[settings]", "[settings]\nformats = 7", 1), "formats"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(BadSetting) as refused:
        read_rules(path)

    assert told in refused.value.reason.en


def test_files_that_are_no_text_and_phases_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe")

    for wrong in (
        lambda: read_rules(tmp_path / "x.toml"),
        lambda: read_rules(tmp_path / "gone"),
        lambda: phase_of("ZZ"),
    ):
        with pytest.raises(BadSetting):
            wrong()

    assert phase_of("yj") is Phase.TRANSFER


def test_addresses_of_the_scanner_are_read() -> None:
    assert scanner_address("tcp:127.0.0.1:3310") == ScannerAddress(host="127.0.0.1", port=3310)
    assert scanner_address("unix:/run/clamd") == ScannerAddress(path="/run/clamd")

    for wrong in ("", "tcp:127.0.0.1", "tcp::3310", "unix:clamd", "udp:1:2", "tcp:h:99999"):
        with pytest.raises(BadSetting):
            scanner_address(wrong)


# Verdicts


def result(rule: str, outcome: Outcome, entry: str = "") -> CheckResult:
    return CheckResult(
        rule=rule,
        phase=Phase.TRANSFER,
        entry=entry,
        outcome=outcome,
        evidence=Text(zh="所见", en="seen"),
        checked_at_ms=1,
    )


def all_passed() -> list[CheckResult]:
    return [result(rule.id, Outcome.PASSED) for rule in RULES.of(Phase.TRANSFER)]


@pytest.mark.parametrize(
    ("outcome", "standing"),
    [
        (Outcome.PASSED, Standing.PASSED),
        (Outcome.NOT_APPLICABLE, Standing.PASSED),
        (Outcome.FAILED, Standing.FAILED),
        (Outcome.MANUAL, Standing.UNPROVEN),
        (Outcome.NOT_RUN, Standing.UNPROVEN),
    ],
)
def test_one_result_of_a_mandatory_rule_decides(outcome: Outcome, standing: Standing) -> None:
    found = [*all_passed(), result("virus_scan", outcome, "a")]

    ruled = verdict(found, RULES, Phase.TRANSFER)
    assert ruled.standing is standing
    assert [one.rule for one in ruled.standing_in_the_way()] == (
        ["virus_scan"] if standing is not Standing.PASSED else []
    )


def test_a_rule_that_is_not_mandatory_does_not_stand_in_the_way() -> None:
    found = [*all_passed(), result("longterm_format", Outcome.FAILED, "a")]

    assert verdict(found, RULES, Phase.TRANSFER).standing is Standing.PASSED


def test_no_results_prove_nothing() -> None:
    judged = verdict([], RULES, Phase.TRANSFER)

    assert judged.standing is Standing.UNPROVEN
    assert len(judged.standing_in_the_way()) == 31


def test_failed_items_are_named_once_in_their_order() -> None:
    found = [result("content_open", Outcome.FAILED, entry) for entry in ("b", "a", "b")]
    tally = next(one for one in verdict(found, RULES, Phase.TRANSFER).tallies if one.rule == "content_open")

    assert (tally.failed_items, tally.counts) == (("b", "a"), {Outcome.FAILED: 3})


def test_a_file_without_an_entry_is_named_by_its_path() -> None:
    found = [msgspec.structs.replace(result("content_open", Outcome.FAILED), path="data/1.jpg")]
    tally = next(one for one in verdict(found, RULES, Phase.TRANSFER).tallies if one.rule == "content_open")

    assert tally.failed_items == ("data/1.jpg",)


# Reports

HEAD = ReportHead(
    report_id=UUID(int=1),
    package="0" * 64,
    phase=Phase.TRANSFER,
    checked_by="330523100000",
    rules_digest=rules_digest(RULES),
    program="danglian test",
    started_at_ms=1,
)


def report(path: Path, results: list[CheckResult]) -> Path:
    write_report(path, HEAD, results, RULES, lambda: 2)
    return path


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    found = all_passed()
    written = write_report(tmp_path / "r/report.jsonl", HEAD, found, RULES, lambda: 2)

    head, *results, end = read_report(tmp_path / "r/report.jsonl")

    assert (head, results, end) == (written.head, found, written.end)
    assert isinstance(end, ReportEnd)
    assert (end.results, end.verdict.standing) == (len(found), Standing.PASSED)


@pytest.mark.parametrize("damage", ["cut", "half", "changed", "dropped", "swapped", "doubled", "rubbish", "empty"])
def test_a_report_that_was_damaged_is_refused(tmp_path: Path, damage: str) -> None:
    path = report(tmp_path / "r.jsonl", all_passed())
    lines = path.read_bytes().splitlines(keepends=True)
    lines = {
        "cut": lines[:-1],
        "half": [*lines[:5], lines[5][:20]],
        "changed": [*lines[:3], lines[3].replace(b"passed", b"failed"), *lines[4:]],
        "dropped": [*lines[:3], *lines[4:]],
        "swapped": [lines[1], lines[0], *lines[2:]],
        "doubled": [*lines, lines[-1]],
        "rubbish": [b"{}\n"],
        "empty": [],
    }[damage]
    path.write_bytes(b"".join(lines))

    with pytest.raises(BadFile):
        list(read_report(path))


def test_a_run_that_breaks_off_leaves_no_report(tmp_path: Path) -> None:
    def breaking() -> list[CheckResult]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_report(tmp_path / "r.jsonl", HEAD, (one for one in breaking()), RULES, lambda: 2)

    assert list(tmp_path.iterdir()) == []


def test_a_report_of_a_transfer_of_before_is_read(tmp_path: Path) -> None:
    """Its results stand bare between head and end; such reports lie beside packages that are kept for years."""
    found = [result("content_open", Outcome.PASSED, "1"), result("virus_scan", Outcome.FAILED)]
    path = report(tmp_path / "r.jsonl", found)
    first, *_, last = path.read_bytes().splitlines(keepends=True)
    bare = [msgspec.json.encode(one) + b"\n" for one in found]
    digest = hashlib.sha256(b"".join(bare)).hexdigest()
    end = msgspec.structs.replace(msgspec.json.decode(last, type=ReportEnd), results_digest=digest)
    path.write_bytes(b"".join([first, *bare, msgspec.json.encode(end) + b"\n"]))

    assert list(read_report(path)) == [HEAD, *found, end]


def test_a_report_in_which_much_failed_is_read(tmp_path: Path) -> None:
    """Its last line names what failed, rule by rule: some megabytes."""
    rules = [rule.id for rule in RULES.of(Phase.TRANSFER)]
    named = [f"{'县' * 60}{number:04d}" for number in range(ITEMS_NAMED_MAX)]

    path = report(tmp_path / "r.jsonl", [result(rule, Outcome.FAILED, item) for rule in rules for item in named])

    *_, end = read_report(path)
    assert isinstance(end, ReportEnd)
    assert {len(tally.failed_items) for tally in end.verdict.tallies} == {ITEMS_NAMED_MAX}


def test_a_field_of_a_later_version_is_read_over(tmp_path: Path) -> None:
    """A partner one version newer may say more."""
    line = msgspec.json.decode(msgspec.json.encode(result("x", Outcome.PASSED)))

    assert msgspec.convert(line | {"colour": "red"}, CheckResult) == result("x", Outcome.PASSED)
    assert list(results_of(report(tmp_path / "r", []))) == []
