"""The OpenAPI document against the interface that runs: schemathesis asks what it allows, and what not."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.staff.tokens import Scope
from hub.web.api.openapi import document
from hub.web.api.operations import OPERATIONS
from tests.interfaces import interface, token

CASES = 25
"""Requests of each operation and kind: those that the document allows, and those that it does not."""

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and token of an interface that runs in a thread of its own, since schemathesis waits where it asks."""
    loop, ready, told = asyncio.new_event_loop(), asyncio.Event(), list[str]()
    folder: Path = tmp_path_factory.mktemp("interface")
    end = asyncio.Event()

    async def serve() -> None:
        async with interface(folder) as here:
            # No clock moves the throttle here: it is tried by a test of its own.
            here.backstage.requests._burst = 1e9
            told.extend((here.url, (await token(here, *Scope)).secret))
            ready.set()
            await end.wait()

    thread = Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    asyncio.run_coroutine_threadsafe(ready.wait(), loop).result(30)
    yield told[0], told[1]
    loop.call_soon_threadsafe(end.set)
    thread.join(30)
    loop.close()


def test_the_document_is_what_the_interface_gives(served: tuple[str, str]) -> None:
    with closing(httpx.Client(base_url=served[0], trust_env=False)) as system:
        given_out = system.get("/api/v1/openapi.json").json()

    assert (given_out["openapi"], sorted(given_out["paths"])) == ("3.1.0", sorted(one.path for one in OPERATIONS))


def test_every_operation_and_parameter_is_described_in_words() -> None:
    paths = document("1")["paths"]
    assert isinstance(paths, dict)
    silent = [
        (path, part.get("name", ""))
        for path, methods in paths.items()
        for part in (methods["get"], *methods["get"]["parameters"])
        if not part.get("description")
    ]

    assert silent == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize("path", [one.path for one in OPERATIONS])
def test_no_request_breaks_the_interface_or_gets_an_undocumented_answer(
    served: tuple[str, str], path: str, mode: GenerationMode
) -> None:
    url, secret = served
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json")
    found = next(one for one in schema.get_all_operations() if isinstance(one, Ok) and one.ok().path == path)
    operation = found.ok()
    asked = 0

    @settings(max_examples=CASES, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck])
    @given(data=st.data())
    def ask(data: st.DataObject) -> None:
        nonlocal asked
        case = data.draw(operation.as_strategy(generation_mode=mode))
        case.call_and_validate(
            base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {secret}"}, checks=CHECKS, timeout=20
        )
        asked += 1

    ask()
    assert asked > 0
