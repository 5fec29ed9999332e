"""From a request's header to the worker's log and to a collector; and nothing of OpenTelemetry where none is set."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.house.tracked import ROOT
from tests.personne.processes import ADDRESS, personne, ready

TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
HEADERS = {"traceparent": f"00-{TRACE}-{CALLER}-01"}


@dataclass
class Collector:
    """Takes OTLP over HTTP, and keeps the spans."""

    address: str = ""
    spans: list[Any] = field(default_factory=list)
    services: set[str] = field(default_factory=set)


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/v1/traces"
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found.services |= {
                    a.value.string_value for a in resource.resource.attributes if a.key == "service.name"
                }
                for scope in resource.scope_spans:
                    found.spans += scope.spans
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        found.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield found
        server.shutdown()
        thread.join(5)


def attributes(span: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in span.attributes}


def test_a_request_and_its_job_are_spans_of_its_callers_trace(served: dict[str, str], collector: Collector) -> None:
    env = served | {
        "PERSONNE_OTLP_ENDPOINT": collector.address,
        "PERSONNE_LOG_JSON": "true",
        "PERSONNE_LOG_LEVEL": "debug",
    }
    with personne("serve", "--port", "0", "--ready-faces", "0", env=env) as process:
        address = process.wait_for(ADDRESS)[1].rstrip('"}')
        ready(address)
        assert httpx.get(f"{address}/v1/faces/7.png", headers=HEADERS, timeout=60).status_code == 200
        assert httpx.get(f"{address}/v1/faces/8.png", timeout=60).status_code == 200
        unsampled = {"traceparent": f"00-{'c' * 32}-{CALLER}-00"}
        assert httpx.get(f"{address}/v1/faces/9.png", headers=unsampled, timeout=60).status_code == 200
        process.stop()
        lines = [json.loads(line) for line in process.said.splitlines() if line.startswith("{")]
    ours = {span.name: span for span in collector.spans if span.trace_id.hex() == TRACE}
    assert set(ours) == {"GET /v1/faces/{seed}.{extension}", "job generate"}
    request, job = ours["GET /v1/faces/{seed}.{extension}"], ours["job generate"]
    assert request.parent_span_id.hex() == CALLER
    assert job.parent_span_id == request.span_id
    assert attributes(request)["http.response.status_code"] == 200
    assert "/v1/faces/7" not in str(request)
    about = attributes(job)
    assert about["personne.inference_ms"] > 0
    assert about["personne.model"]
    assert request.start_time_unix_nano <= job.start_time_unix_nano <= job.end_time_unix_nano
    assert collector.services == {"personne-serve"}
    assert len({span.trace_id for span in collector.spans}) == 2, "a trace of its own, and none of who wants none"
    assert not [span for span in collector.spans if "readyz" in span.name]
    told = [line for line in lines if line.get("job_id") == about["personne.job_id"]]
    assert told
    assert {line["trace_id"] for line in told} == {TRACE}


def test_a_collector_that_is_not_there_stops_nobody(served: dict[str, str]) -> None:
    env = served | {"PERSONNE_OTLP_ENDPOINT": "http://127.0.0.1:9"}
    with personne("serve", "--port", "0", "--ready-faces", "0", env=env) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        assert httpx.get(f"{address}/v1/faces/7.png", timeout=60).status_code == 200
        assert process.stop() < 20
        assert process.popen.returncode == 0


def test_no_tracing_of_opentelemetry_is_imported_where_it_is_off() -> None:
    """redis-py imports what measures where it is installed; what traces and sends is ours alone."""
    probe = """
import sys
import personne.run_embedded, personne.run_web, personne.run_worker
from personne.settings import read_settings
from personne.telemetry import recording
with recording(read_settings(), "web") as record:
    pass
assert record.__name__ == "dropped"
print([name for name in sys.modules if name.startswith(("opentelemetry.exporter", "opentelemetry.sdk.trace"))])
"""
    found = subprocess.run([sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
