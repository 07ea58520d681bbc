"""Logs: one JSON object a line, wherever standard error leads at that moment."""

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
