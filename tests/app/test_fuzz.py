"""Anything that the OpenAPI document allows, and much that it does not, asked of the real service: never a surprise."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.personne.processes import ADDRESS, personne, ready

CASES_AN_OPERATION = int(os.environ.get("FUZZ_CASES", "8"))
"""`make fuzz` asks for so many that there are ten thousand in all."""
LEAST = int(os.environ.get("FUZZ_LEAST", "2000"))
"""Cases in all: fewer would mean that the document was hardly walked."""
SEED = os.environ.get("FUZZ_SEED", "1")
# All that there are but these: positive_data_acceptance, since what a schema allows may still be refused (an attribute
# that the model lacks, a seed and a latent at once); use_after_free, ensure_resource_availability and
# object_level_authorization, which need an order of requests that the document does not tell; ignored_auth, since
# no keys are asked for here (tests/app/test_keys.py walks all routes with them).
CHECKS = (
    "not_a_server_error",
    "content_type_conformance",
    "status_code_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "allow_header_conformance",
    "negative_data_rejection",
    "unsupported_method",
    "missing_required_header",
)
CONFIGURATION = """
[checks]
# A queue that is full or a photo that waits too long is told by these, which the document has.
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 503, 504]
"""


@pytest.mark.timeout(7200)
def test_every_operation_answers_as_documented(served: dict[str, str], tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    settings = served | {
        "PERSONNE_SHARE_KEY": "QUJD" * 16,
        "PERSONNE_TRANSLATION_WAIT_S": "2",
    }
    with personne("serve", "--port", "0", env=settings) as process:
        address = process.wait_for(ADDRESS)[1]
        ready(address)
        command = [str(Path(sys.executable).parent / "schemathesis"), "--config-file", str(configuration)]
        command += ["run", f"{address}/openapi.json", "--no-color", "--seed", SEED, "--request-timeout", "45"]
        command += ["--checks", ",".join(CHECKS)]
        command += ["--phases", "examples,coverage,fuzzing", "--max-examples", str(CASES_AN_OPERATION)]
        # In a file: what takes an hour is to be looked at meanwhile.
        report = tmp_path / "cases.txt"
        with report.open("w") as file:
            run = subprocess.run(command, cwd=tmp_path, stdout=file, stderr=subprocess.STDOUT, check=False)
        assert process.popen.poll() is None
    said = report.read_text()
    assert run.returncode == 0, said[-8000:]
    cases = re.search(r"(\d+) generated", said)
    assert cases
    # For `make fuzz`, whose figure goes into docs/operations.md.
    sys.stdout.write(f"{cases[0]}\n")
    assert int(cases[1]) >= LEAST
    assert "unresolvable reference" not in said
    assert "Traceback" not in process.said
