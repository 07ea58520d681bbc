from hub.membership import door
from hub.membership.door import WrongTries


def test_wrong_tries_are_forgotten_after_a_while() -> None:
    now_s = 0.0
    tries = WrongTries(lambda: now_s)
    for _ in range(door.WRONG_TRIES_MAX):
        tries.note("10.0.0.1")
    blocked = tries.is_too_many("10.0.0.1"), tries.is_too_many("10.0.0.2")

    now_s = door.WRONG_TRIES_WINDOW_S

    assert (blocked, tries.is_too_many("10.0.0.1")) == ((True, False), False)


def test_many_addresses_together_are_stopped_too() -> None:
    tries = WrongTries(lambda: 0.0)

    for number in range(door.WRONG_TRIES_OVERALL_MAX):
        tries.note(f"10.0.{number // 256}.{number % 256}")

    assert tries.is_too_many("192.0.2.1")


def test_counting_never_takes_more_than_its_bound() -> None:
    """Strangers choose their addresses; the memory that they take must not be theirs to choose."""
    now_s = 0.0
    tries = WrongTries(lambda: now_s)
    for number in range(10_000):
        now_s += 1.0
        if not tries.is_too_many(f"{number}"):
            tries.note(f"{number}")

    assert len(tries._by_address) <= door.WRONG_TRIES_OVERALL_MAX + 1
