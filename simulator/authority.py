"""The throw-away certificate authority, so that the stock SDKs, which refuse plain http, can talk to the simulator.

Must not import aiohttp, not even by way of another module: aiohttp reads SSL_CERT_FILE when it is imported, so whoever
uses the simulator makes the authority first, sets `environment()`, and only then imports the rest.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

HOST = "127.0.0.1"


class Authority:
    """A certificate authority, its certificate in a file, and the certificate of the one server it vouches for."""

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        self.certificate = directory / "simulator-ca.pem"
        authority.cert_pem.write_to_path(str(self.certificate))
        self._server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        authority.issue_cert(HOST, "localhost").configure_cert(self._server)

    def environment(self) -> dict[str, str]:
        """The variables that make aiohttp and requests trust this authority."""
        return {"SSL_CERT_FILE": str(self.certificate), "REQUESTS_CA_BUNDLE": str(self.certificate)}

    def server_context(self) -> ssl.SSLContext:
        """What the server needs to speak TLS as 127.0.0.1."""
        return self._server
