"""Serving the console inside the daemon's own loop, by uvicorn, which is small and pure Python.

uvicorn's way of taking signals is left out: the daemon has its own. At the end open streams are told first, then
connections have ``CLOSE_S`` to finish; nothing that a browser does keeps the hub from stopping.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from litestar.types import ASGIApp

from hub.home import HubHome
from hub.web.backstage import Backstage
from hub.web.console import console
from hub.web_settings import WebSettings, WebTls
from protocol.errors import BadSetting
from protocol.wording import Text
from replication.precedence import Precedence

CLOSE_S = 2.0
"""Seconds that open connections have when the hub stops."""

STOP_S = 5.0
"""Seconds after which a server that does not stop is left behind."""

START_S = 10.0
"""Seconds in which it must listen."""

IDLE_CONNECTION_S = 20
"""Seconds that a connection stays open between two requests."""

CONNECTIONS_MAX = 1_000
"""Connections at once; who comes beyond is told to come again."""

BACKLOG = 128
"""Connections that wait to be accepted."""


class _Server(uvicorn.Server):
    """A server that leaves signals to the daemon."""

    async def run_in_loop(self, listener: socket.socket) -> None:
        await self._serve([listener])


@asynccontextmanager
async def served(backstage: Backstage, home: HubHome, precedence: Precedence) -> AsyncIterator[int]:
    """Serve the console for as long as the block lasts; gives its port.

    Raises:
        BadSetting: the port is taken, the address is not this machine's, or the certificate cannot be read.

    """
    settings = backstage.settings
    listener = _listening(settings)
    try:
        server = _Server(_config(console(backstage, precedence), settings, tls_context(settings, home)))
        # A part that fails ends the hub, as any other part of it does: nobody would notice a console that stands still.
        async with asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(server.run_in_loop(listener), name="console")
            moving = tasks.create_task(backstage.live.run(), name="outlook")
            try:
                await _started(server, serving)
                yield int(listener.getsockname()[1])
            finally:
                backstage.closing.set()
                server.should_exit = True
                moving.cancel()
                await asyncio.wait((serving, moving), timeout=STOP_S)
                await backstage.exports.close()
                await backstage.spreads.close()
                await backstage.alike.close()
                serving.cancel()
    finally:
        listener.close()


async def _started(server: uvicorn.Server, serving: "asyncio.Task[None]") -> None:
    async with asyncio.timeout(START_S):
        while not server.started:
            if serving.done():
                await serving
            await asyncio.sleep(0.01)


def _config(app: ASGIApp, settings: WebSettings, context: ssl.SSLContext | None) -> uvicorn.Config:
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        loop="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_keep_alive=IDLE_CONNECTION_S,
        timeout_graceful_shutdown=int(CLOSE_S),
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
    )
    config.load()
    config.ssl = context
    return config


def tls_context(settings: WebSettings, home: HubHome) -> ssl.SSLContext | None:
    """Return the TLS settings of the console; None where it has none of its own.

    Raises:
        BadSetting: the certificate or its key cannot be read.

    """
    if settings.tls is WebTls.COUNTY:
        certificate, key = home.server, home.server_key
    elif settings.tls is WebTls.FILES:
        certificate, key = home.root / settings.certificate, home.root / settings.key
    else:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key)
    except OSError as error:
        raise _unreadable(certificate, key, error) from error
    return context


def _unreadable(certificate: Path, key: Path, error: OSError) -> BadSetting:
    return BadSetting(
        Text(
            zh=f"读不出控制台证书 {certificate} 或私钥 {key}：{error}",
            en=f"cannot read the console's certificate {certificate} or its key {key}: {error}",
        ),
        Text(
            zh="两者应为 PEM 文件，且相互匹配；见 hub.toml 的 [web]。",
            en="Both are PEM files that belong together; see [web] in hub.toml.",
        ),
    )


def _listening(settings: WebSettings) -> socket.socket:
    try:
        listener = socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=BACKLOG,
        )
        # Connections inherit it. The loop sets it on sockets it made itself only, and without it the body of an answer
        # waits behind its headers for 40 ms, until the other end's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise BadSetting(
            Text(
                zh=f"控制台端口 {settings.host}:{settings.port} 无法使用：{error.strerror}",
                en=f"cannot listen on {settings.host}:{settings.port} for the console: {error.strerror}",
            ),
            Text(zh="请在 hub.toml 的 [web] 中另选端口或地址。", en="Choose another under [web] in hub.toml."),
        ) from error
