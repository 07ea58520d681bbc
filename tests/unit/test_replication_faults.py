import ssl
from itertools import count

import pytest
from nats.errors import Error as NatsError

from replication.faults import (
    DIAL_FAULTS,
    FAULTS_KEPT_MAX,
    MEANINGS,
    Fault,
    FaultKind,
    FaultLog,
    kind_of_dial_error,
    place_of,
)


def log() -> FaultLog:
    ticks = count(100)
    return FaultLog(lambda: next(ticks))


def test_repeated_fault_is_counted_with_its_first_and_last_time() -> None:
    faults = log()
    for detail in ("first words", "last words"):
        faults.note(FaultKind.TLS, "tls://hub", detail)

    assert faults.all == (
        Fault(kind=FaultKind.TLS, about="tls://hub", detail="last words", count=2, first_at_ms=100, last_at_ms=101),
    )


def test_quietest_fault_gives_way_when_there_are_too_many() -> None:
    faults = log()
    faults.note(FaultKind.BAD_MESSAGE, "quiet")
    faults.note(FaultKind.BAD_MESSAGE, "busy")
    for number in range(FAULTS_KEPT_MAX - 1):
        faults.note(FaultKind.BAD_MESSAGE, "busy")
        faults.note(FaultKind.BAD_MESSAGE, str(number))
    about = {fault.about for fault in faults.all}

    assert len(faults.all) == FAULTS_KEPT_MAX
    assert ("quiet" in about, "busy" in about) == (False, True)


def test_faults_that_are_over_are_forgotten() -> None:
    faults = log()
    faults.note(FaultKind.AUTHENTICATION, "a")
    faults.note(FaultKind.PUBLISH_DENIED, "b")
    faults.forget(DIAL_FAULTS)

    assert [fault.about for fault in faults.all] == ["b"]


def test_every_kind_has_words_for_a_person_in_both_languages() -> None:
    assert set(MEANINGS) == set(FaultKind)
    assert all(text.zh and text.en for text in MEANINGS.values())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), FaultKind.TLS),
        (NatsError("nats: 'Authorization Violation'"), FaultKind.AUTHENTICATION),
        (ConnectionRefusedError(111, "refused"), FaultKind.UNREACHABLE),
        (TimeoutError(), FaultKind.UNREACHABLE),
        (NatsError("nats: something else"), FaultKind.OTHER),
    ],
)
def test_reason_for_no_connection_is_named(error: Exception, expected: FaultKind) -> None:
    assert kind_of_dial_error(error) is expected


def test_place_of_an_error_does_not_repeat_its_words() -> None:
    """Words of an error may quote a query or a name."""
    try:
        raise ValueError("王小明")
    except ValueError as error:
        place = place_of(error)

    assert place.startswith("ValueError at test_replication_faults.py:")
    assert "王" not in place
