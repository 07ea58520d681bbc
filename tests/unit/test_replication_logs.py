"""Logs: one JSON object a line, wherever standard error leads at that moment."""

import errno
import io
import json
import logging
import sys

import pytest
import structlog

from replication.logs import configure_logs


def test_facts_are_json_lines_with_their_fields() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    structlog.get_logger().info("file_read", rejected=2)
    fact = json.loads(stream.getvalue())
    assert (fact["event"], fact["rejected"], fact["level"]) == ("file_read", 2, "info")


def test_what_libraries_say_comes_out_in_the_same_form() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    logging.getLogger("nats").warning("slow %s", "consumer")
    assert json.loads(stream.getvalue())["event"] == "slow consumer"


def test_the_harmless_word_of_a_closing_tls_link_is_left_out() -> None:
    stream = io.StringIO()
    configure_logs(stream=stream)
    logging.getLogger("asyncio").warning("returning true from eof_received() has no effect when using ssl")
    assert stream.getvalue() == ""


def test_a_fact_below_the_level_is_not_written() -> None:
    stream = io.StringIO()
    configure_logs(level="warning", stream=stream)
    structlog.get_logger().info("link_up")
    assert stream.getvalue() == ""


def test_a_fact_is_written_after_standard_error_was_exchanged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that ran with a captured stream must not silence the program that goes on."""
    first = io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    configure_logs(pretty=False)
    first.close()
    second = io.StringIO()
    monkeypatch.setattr(sys, "stderr", second)
    structlog.get_logger().warning("still_here")
    assert json.loads(second.getvalue())["event"] == "still_here"


class FullDisk(io.StringIO):
    """A log file on a disk that is full for a while."""

    is_full = True

    def write(self, text: str) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(text)


def test_a_log_on_a_full_disk_does_not_end_the_program_and_says_later_what_it_could_not_say() -> None:
    """A node that waits for room would otherwise end at the warning that there is none."""
    stream = FullDisk()
    configure_logs(stream=stream, pretty=False)
    structlog.get_logger().warning("file_postponed")
    structlog.get_logger().warning("file_postponed")
    stream.is_full = False
    structlog.get_logger().info("file_read")
    facts = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [fact["event"] for fact in facts] == ["file_read", "log_interrupted"]
    assert facts[1]["lines"] == 2
