"""A site that publishes client metadata documents: a real TLS server on loopback, and a certificate to trust it by."""

import contextlib
import http.server
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from auth.server.addresses import Address
from auth.server.documents import Documents, Resolver
from tests.support.gate import PATIENCE

HOST = "client.example"
"""The name of the site; its documents' URLs begin with it, and its certificate is for it."""

Respond = Callable[[http.server.BaseHTTPRequestHandler], None]


def document(url: str, **changes: Any) -> dict[str, Any]:
    """A good document for a URL; a member changed to None is left out."""
    members = {
        "client_id": url,
        "client_name": "An app",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    } | changes
    return {name: value for name, value in members.items() if value is not None}


def answer(body: bytes | Mapping[str, Any], status: int = 200, **headers: str) -> Respond:
    """Answer with a body, JSON unless headers say otherwise; underscores in their names are hyphens."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json"} | {name.replace("_", "-"): text for name, text in headers.items()}

    def respond(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        for name, text in {"content-length": str(len(content)), **named}.items():
            request.send_header(name, text)
        request.end_headers()
        with contextlib.suppress(OSError):  # whoever has read enough hangs up
            request.wfile.write(content)

    return respond


@dataclass
class ClientDocuments:
    """The site: what it answers by path, and what it was asked.

    Attributes:
        port: on 127.0.0.1.
        certificate: the authority's, as PEM, for whoever makes `Documents` in another process with `injected`.
        requests: the path and headers of each request, oldest first.
        connections: how often somebody connected.
    """

    port: int
    certificate: str
    answers: dict[str, Respond] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/oauth/client.json") -> str:
        """The URL of a document: its client's id."""
        return f"https://{HOST}{path}"

    def publish(self, path: str = "/oauth/client.json", **changes: Any) -> str:
        """Serve a good document with some members changed; its URL."""
        self.answers[path] = answer(document(self.url(path), **changes))
        return self.url(path)

    def documents(
        self,
        clock: Callable[[], float] = time.time,
        seconds: float = PATIENCE,
        resolver: Resolver | None = None,
    ) -> Documents:
        """What fetches from this site and from nowhere else, unless a resolver is given."""
        return injected(self.port, self.certificate, clock, seconds, resolver)


def injected(
    port: int,
    certificate: str,
    clock: Callable[[], float] = time.time,
    seconds: float = 3.0,
    resolver: Resolver | None = None,
) -> Documents:
    """What fetches documents from the site on a port, whatever their host, trusting its certificate only."""

    async def resolve(_host: str, _port: int) -> Sequence[Address]:
        return [Address("127.0.0.1", port)]

    trusted = ssl.create_default_context(cadata=certificate)
    return Documents(resolver=resolver or resolve, ssl_context=trusted, clock=clock, seconds=seconds)


@contextlib.contextmanager
def client_documents(folder: Path, host: str = HOST) -> Iterator[ClientDocuments]:
    """Run the site while the block runs.

    Args:
        folder: for its certificate and key; the test's `tmp_path`.
        host: for which its certificate is.
    """
    authority, chain = certificates(host)
    keys = folder / "client-documents.pem"
    keys.write_text(chain)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(keys)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.site = ClientDocuments(server.server_address[1], authority)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(http.server.ThreadingHTTPServer):
    site: ClientDocuments

    def process_request(self, request: Any, client_address: Any) -> None:
        self.site.connections += 1
        super().process_request(request, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that breaks off, for want of trust for example, is no fault of the site."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE

    def do_GET(self) -> None:
        site = self.server.site
        site.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        site.answers.get(self.path, answer({"error": "not found"}, 404))(self)

    def log_message(self, *_: Any) -> None:
        pass


def certificates(host: str) -> tuple[str, str]:
    """An authority's certificate, and a host's key and certificate from it, as PEM."""
    authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test authority")])
    root = (
        _certificate(name, name, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority.public_key()), critical=False)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(authority, hashes.SHA256())
    )
    leaf = (
        _certificate(x509.Name([]), name, own.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(authority, hashes.SHA256())
    )
    key = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = serialization.Encoding.PEM
    return root.public_bytes(pem).decode(), (key + leaf.public_bytes(pem)).decode()


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now, day = datetime.now(UTC), timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    return (
        builder.serial_number(x509.random_serial_number()).not_valid_before(now - day).not_valid_after(now + 365 * day)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
