import pytest

from replication.pulling import read_ack_subject
from replication.streams import EVENTS, StreamPlan


@pytest.mark.parametrize(
    "subject",
    [
        "$JS.ACK.DL_EVENTS.hub.2.41.57.1795350715464833768.3",
        "$JS.ACK.hub.ACCOUNT.DL_EVENTS.hub.2.41.57.1795350715464833768.3",
        "$JS.ACK._.ACCOUNT.DL_EVENTS.hub.2.41.57.1795350715464833768.3.token",
    ],
)
def test_place_and_deliveries_are_read_from_every_form_of_acknowledgement(subject: str) -> None:
    assert read_ack_subject(subject) == (41, 2)


@pytest.mark.parametrize(("after", "policy", "start"), [(0, "all", None), (41, "by_start_sequence", 42)])
def test_reader_that_is_made_again_goes_on_behind_a_place(after: int, policy: str, start: int | None) -> None:
    config = EVENTS.consumer("hub", after)

    assert (config.deliver_policy, config.opt_start_seq) == (policy, start)


def test_reader_never_gives_up_on_a_message() -> None:
    """What cannot be read is quarantined by the reader; the broker must not decide that it was tried often enough."""
    config = EVENTS.consumer("hub", 0)

    assert (config.max_deliver, config.ack_policy) == (-1, "explicit")


def test_stream_refuses_rather_than_forgets() -> None:
    config = StreamPlan(name="A", subjects=("a.>",), replicas=3).config()

    assert (config.discard, config.retention, config.num_replicas) == ("new", "limits", 3)
    assert config.max_age is not None
    assert config.duplicate_window < config.max_age
