"""Application Insights' endpoint on loopback, and what arrives there: of such rows the queries are."""

from __future__ import annotations

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

Envelopes = list[dict[str, Any]]

ALONE = {
    f"APPLICATIONINSIGHTS_{name}": "true"
    for name in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED")
}
"""With these the exporter speaks to nobody else: it would ask Microsoft, and tell it about itself."""


class Ingestion:
    """The endpoint, as far as the exporter talks to it: it takes all, and keeps it."""

    def __init__(self) -> None:
        self.taken: Envelopes = []
        self.arrived = threading.Event()
        taken, arrived = self.taken, self.arrived

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                items = json.loads(gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
                taken.extend(items)
                arrived.set()
                answer = json.dumps({"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing: the test says what it saw."""

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        key = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
        self.connection_string = f"{key};IngestionEndpoint=http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Ingestion:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def rows(self, kind: str) -> Envelopes:
        """What arrived of a kind, such as RemoteDependencyData, which becomes AppDependencies."""
        return [item["data"]["baseData"] for item in self.taken if item["data"]["baseType"] == kind]
