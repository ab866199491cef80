"""A login service of our own, as Entra ID answers: tokens for an application, and its reasons for giving none."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from tests.servers.processes import HOST

TENANT, CLIENT_ID, SECRET = "group.example", "11111111-2222-3333-4444-555555555555", "the-value-of-the-secret"


class Entra:
    """The running service. `requests` are the forms that it was sent; `tokens` all that it gave out."""

    def __init__(self, certificate: Path) -> None:
        self.requests: list[dict[str, str]] = []
        self.tokens: list[str] = []
        self.refusal: str | None = None
        """An AADSTS code: no token, and this is why."""
        self.down = False
        self.expires_in = 3600
        self._server = ThreadingHTTPServer((HOST, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://{HOST}:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def token_for(self, form: dict[str, str]) -> tuple[int, dict[str, object]]:
        """What the token endpoint answers."""
        self.requests.append(form)
        if self.down:
            return 503, {"error": "temporarily_unavailable"}
        proven = form.get("client_secret") == SECRET or "client_assertion" in form
        refusal = self.refusal or (None if proven else "AADSTS7000215")
        if refusal:
            told = f"{refusal}: Something about app '{CLIENT_ID}'. Trace ID: 0 Timestamp: 2021-11-02 09:00:00Z"
            return 401, {"error": "invalid_client", "error_description": told}
        self.tokens.append(f"token-{len(self.tokens) + 1}-not-to-be-shown")
        return 200, {"token_type": "Bearer", "expires_in": self.expires_in, "access_token": self.tokens[-1]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        entra = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if not self.path.startswith(f"/{TENANT}/"):
                    self._answer(400, {"error": "invalid_tenant", "error_description": "AADSTS90002: no such tenant"})
                    return
                base = f"{entra.url}/{TENANT}"
                self._answer(
                    200,
                    {
                        "issuer": f"{base}/v2.0",
                        "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                        "token_endpoint": f"{base}/oauth2/v2.0/token",
                    },
                )

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                self._answer(*entra.token_for({name: values[0] for name, values in parse_qs(body).items()}))

            def log_message(self, *_: object) -> None:
                """Tests read no log."""

            def _answer(self, code: int, data: dict[str, object]) -> None:
                body = json.dumps(data).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


@contextlib.contextmanager
def run_entra(certificate: Path) -> Iterator[Entra]:
    """The running service, until the context ends."""
    entra = Entra(certificate)
    try:
        yield entra
    finally:
        entra.stop()
