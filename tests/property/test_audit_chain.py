"""Every tampering with an audit log is caught: a single line by the chain, its end or a new chain by kept heads."""

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from protocol.audit_chain import FIRST, AuditHead, AuditLine, contradicted, digest_of, first_broken, head_of, sealed

TEXTS = st.text(max_size=20)
FIELDS = ("at_ms", "who", "action", "object", "outcome", "origin", "detail", "digest", "seq")


@st.composite
def logs(draw: st.DrawFn) -> list[AuditLine]:
    """A log as it was written: some lines, each the seal of the one before."""
    lines: list[AuditLine] = []
    for _ in range(draw(st.integers(1, 8))):
        line = AuditLine(
            seq=0,
            at_ms=draw(st.integers(0, 2**40)),
            who=draw(TEXTS),
            action=draw(TEXTS),
            object=draw(TEXTS),
            outcome=draw(TEXTS),
            origin=draw(TEXTS),
            detail=draw(TEXTS),
            digest="",
        )
        lines.append(sealed(line, head_of(lines[-1] if lines else None)))
    return lines


def rewritten(lines: list[AuditLine], start: int) -> list[AuditLine]:
    """The same lines with a chain made anew from a place on: what somebody with the program does who tampers."""
    made = lines[:start]
    for line in lines[start:]:
        made.append(sealed(line, head_of(made[-1] if made else None)))
    return made


@given(logs())
def test_a_log_that_nobody_touched_holds(lines: list[AuditLine]) -> None:
    assert first_broken(lines, 0, FIRST) is None


@given(logs(), st.data())
def test_a_change_of_any_field_of_any_line_is_found(lines: list[AuditLine], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    field = data.draw(st.sampled_from(FIELDS))
    value: object = data.draw(st.integers(0, 2**40) if field in ("at_ms", "seq") else TEXTS)
    assume(value != getattr(lines[at], field))
    lines[at] = msgspec.structs.replace(lines[at], **{field: value})

    assert first_broken(lines, 0, FIRST) is not None


@given(logs(), st.data())
def test_a_line_that_was_removed_before_the_last_is_found(lines: list[AuditLine], data: st.DataObject) -> None:
    assume(len(lines) > 1)
    del lines[data.draw(st.integers(0, len(lines) - 2))]

    assert first_broken(lines, 0, FIRST) is not None


@given(logs(), st.data())
def test_a_line_that_was_put_in_or_moved_is_found(lines: list[AuditLine], data: st.DataObject) -> None:
    place, source = data.draw(st.integers(0, len(lines) - 1)), data.draw(st.integers(0, len(lines) - 1))
    lines.insert(place, lines[source])

    assert first_broken(lines, 0, FIRST) is not None


@given(logs(), st.data())
def test_the_loss_of_the_newest_lines_is_found_by_any_head_behind_it(
    lines: list[AuditLine], data: st.DataObject
) -> None:
    kept = data.draw(st.sampled_from(lines))
    left = lines[: data.draw(st.integers(0, kept.seq - 1))]

    assert contradicted({kept.seq: kept.digest}, {}, head_of(left[-1] if left else None)) == [kept.seq]


@given(logs(), st.data())
def test_a_chain_that_was_made_anew_is_found_by_any_head_behind_the_change(
    lines: list[AuditLine], data: st.DataObject
) -> None:
    """Who can write the log can also make its digests anew; what the other end has kept cannot be made anew."""
    at = data.draw(st.integers(0, len(lines) - 1))
    detail = data.draw(TEXTS)
    assume(detail != lines[at].detail)
    kept = data.draw(st.sampled_from(lines[at:]))
    forged = list(lines)
    forged[at] = msgspec.structs.replace(lines[at], detail=detail)
    forged = rewritten(forged, at)
    shown = {line.seq: line.digest for line in forged}

    assert first_broken(forged, 0, FIRST) is None
    assert contradicted({kept.seq: kept.digest}, shown, head_of(forged[-1])) == [kept.seq]


@given(logs(), st.data())
def test_honest_growth_contradicts_nothing(lines: list[AuditLine], data: st.DataObject) -> None:
    kept = {line.seq: line.digest for line in data.draw(st.lists(st.sampled_from(lines)))}
    asked = data.draw(st.lists(st.sampled_from(lines)))

    assert contradicted(kept, {line.seq: line.digest for line in asked}, head_of(lines[-1])) == []


@given(logs())
def test_an_empty_log_is_the_head_of_no_line(lines: list[AuditLine]) -> None:
    assert (head_of(None), head_of(lines[0]).seq) == (AuditHead(), 1)


def test_the_digest_of_a_line_stays_what_it_was() -> None:
    """Every log on disk and every head that somebody keeps was made by it."""
    line = AuditLine(
        seq=7,
        at_ms=1_790_000_000_000,
        who="lin.min",
        action="sign_in",
        object="山林",
        outcome="done",
        origin="127.0.0.1",
        detail="",
        digest="",
    )

    assert digest_of(line, FIRST) == "a92b489d4d31c10b57ae29d1caa3c7bb6432cd92bb8ba23ee96a68fda254036a"


@given(logs(), st.integers(1, 9))
def test_a_line_that_leaves_numbers_out_is_found(lines: list[AuditLine], left_out: int) -> None:
    """Its digest fits: who leaves a line out can seal what follows anew."""
    before = head_of(lines[-1])
    skipped = msgspec.structs.replace(lines[-1], seq=before.seq + 1 + left_out)
    forged = msgspec.structs.replace(skipped, digest=digest_of(skipped, before.digest))

    assert first_broken([*lines, forged], 0, FIRST) == forged.seq


@given(logs())
def test_a_last_line_that_was_sealed_anew_is_found_though_no_other_is_shown(lines: list[AuditLine]) -> None:
    kept = lines[-1]
    forged = sealed(msgspec.structs.replace(kept, detail=f"{kept.detail}."), head_of(lines[-2] if lines[1:] else None))

    assert contradicted({kept.seq: kept.digest}, {}, head_of(forged)) == [kept.seq]
