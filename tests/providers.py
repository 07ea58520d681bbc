"""A provider of identities in a process of its own: a real OpenID Connect server, made stricter than it comes.

It comes without PKCE and takes any secret. Around it stands what real ones do: the code is given out only to who shows
the verifier of its challenge and our secret. ``twist`` in the address at which a person agrees makes it lie once.
"""

import base64
import contextlib
import contextvars
import hashlib
import os
import signal
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx

from hub.staff.oidc_provider import Provider
from hub.staff.oidc_settings import OidcSettings
from tests.servers import free_port, stop_where_it_stands

CLIENT = "danglian: console"
SECRET = "s3cret/with+signs:&="
READY_S = 30.0

Start = Callable[..., object]
Wsgi = Callable[[dict[str, Any], Start], Iterable[bytes]]


class RunningProvider:
    """A provider that runs; ``frozen`` lets it hang."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int) -> None:
        self.process = process
        self.issuer = f"http://127.0.0.1:{port}"

    def settings(self) -> OidcSettings:
        """What a hub is told of it."""
        return OidcSettings(
            issuer=self.issuer, client_id=CLIENT, client_secret_file="keys/oidc.secret", name="县统一身份认证"
        )

    def reached(self, secret: str = SECRET) -> Provider:
        """As a hub reaches it."""
        return Provider(self.settings(), secret, httpx.create_ssl_context(), time.monotonic)

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Have it take connections and answer nothing."""
        stop_where_it_stands(self.process.pid)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextlib.contextmanager
def provider_running() -> Iterator[RunningProvider]:
    """Run a provider for as long as the block lasts."""
    port = free_port()
    command = [sys.executable, "-m", "tests.providers", str(port)]
    root = Path(__file__).parents[1]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        running = RunningProvider(process, port)
        try:
            _await_ready(running)
            yield running
        finally:
            process.terminate()
            process.wait(timeout=READY_S)


def _await_ready(running: RunningProvider) -> None:
    with httpx.Client(trust_env=False) as client:
        deadline_s = time.monotonic() + READY_S
        while time.monotonic() < deadline_s and running.process.poll() is None:
            with contextlib.suppress(httpx.HTTPError):
                if client.get(f"{running.issuer}/.well-known/openid-configuration").status_code == 200:
                    return
            time.sleep(0.05)
    raise AssertionError("the provider does not start")


class Strict:
    """What a provider checks before it gives a token out: our secret, and the verifier of the code's challenge."""

    def __init__(self, application: Wsgi) -> None:
        self._application = application
        self._challenges: dict[str, str] = {}
        self._twists: dict[str, str] = {}
        self.twist: contextvars.ContextVar[str] = contextvars.ContextVar("twist", default="")

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/oauth2/authorize" and environ["REQUEST_METHOD"] == "POST":
            return self._application(environ, self._remembering(environ, start))
        if environ["PATH_INFO"] == "/oauth2/token":
            body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            environ["wsgi.input"] = BytesIO(body)
            fields = dict(urllib.parse.parse_qsl(body.decode()))
            self.twist.set(self._twists.get(fields.get("code", ""), ""))
            if not self._is_proved(environ, fields):
                start("401 Unauthorized", [("Content-Type", "application/json")])
                return [b'{"error":"invalid_client"}']
        return self._application(environ, start)

    def _remembering(self, environ: dict[str, Any], start: Start) -> Start:
        asked = dict(urllib.parse.parse_qsl(environ["QUERY_STRING"]))

        def remember(status: str, headers: list[tuple[str, str]], *more: object) -> object:
            for name, value in headers:
                code = urllib.parse.parse_qs(urllib.parse.urlsplit(value).query).get("code")
                if name.lower() == "location" and code and asked.get("code_challenge_method") == "S256":
                    self._challenges[code[0]] = asked["code_challenge"]
                    self._twists[code[0]] = asked.get("twist", "")
            return start(status, headers, *more)

        return remember

    def _is_proved(self, environ: dict[str, Any], fields: dict[str, str]) -> bool:
        verifier, challenge = fields.get("code_verifier", ""), self._challenges.get(fields.get("code", ""))
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        told = base64.b64decode(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Basic ")).decode()
        name, _, secret = told.partition(":")
        unquoted = (urllib.parse.unquote(name), urllib.parse.unquote(secret))
        return unquoted == (CLIENT, SECRET) and digest == challenge


def main() -> None:
    """Serve until ended."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

    # Loaded in this process alone: they warn of their own old parts, and warnings are errors in tests.
    import oidc_provider_mock._app as provider  # noqa: PLC0415
    from authlib.jose import RSAKey  # noqa: PLC0415
    from werkzeug.serving import run_simple  # noqa: PLC0415

    kept, forged = provider.OpenIDCode.get_jwt_config, RSAKey.generate_key(is_private=True)
    application = provider.app(require_nonce=True)
    strict = Strict(application.wsgi_app)

    def configured(self: object, grant: object, client: object = None) -> dict[str, object]:
        known: dict[str, object] = kept(self, grant, client)
        lies = {"expired": {"exp": -3600}, "key": {"key": forged.as_dict(is_private=True)}}
        return known | lies.get(strict.twist.get(), {})

    def audiences(_: object, __: object) -> list[str]:
        return ["another-system" if strict.twist.get() == "audience" else CLIENT]

    provider.OpenIDCode.get_jwt_config = configured
    provider.OpenIDCode.get_audiences = audiences
    application.wsgi_app = strict
    application.debug = False
    run_simple("127.0.0.1", int(sys.argv[1]), application, threaded=True)


if __name__ == "__main__":
    main()
