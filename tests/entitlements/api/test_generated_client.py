"""P1: openapi-python-client makes a client of the description, with every operation and without a warning."""

import compileall
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from entitlements.api.app import api
from tests.entitlements.api.client import program_of
from tests.entitlements.api.test_matrix import DESCRIBED
from tests.factories import Cast, Chain

SCHEMA: Any = api.get_openapi_schema(path_prefix="/api/v1/")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The client, and what the generator said."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "openapi.json").write_text(json.dumps(SCHEMA, cls=DjangoJSONEncoder))
    tools = Path(sys.executable).parent
    command = [tools / "openapi-python-client", "generate", "--path", "openapi.json", "--meta", "none"]
    done = subprocess.run(
        [*command, "--output-path", "portal"],
        cwd=folder,
        env=os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "portal", done.stdout + done.stderr


def test_every_operation_is_generated(generated: tuple[Path, str]) -> None:
    """A generator leaves out what it does not understand, and says so in a warning."""
    client, said = generated
    assert "warning" not in said.lower(), said
    modules = {path.stem for path in (client / "api").glob("*/*.py")} - {"__init__"}
    assert modules == set(DESCRIBED)
    assert compileall.compile_dir(client, quiet=1)


def test_the_description_says_what_every_answer_may_be() -> None:
    """Refusals, faults, limits, and where the portal is."""
    assert SCHEMA["servers"] == [{"url": settings.SITE_URL}]
    for operations in SCHEMA["paths"].values():
        for method, operation in operations.items():
            answers = {str(status): answer for status, answer in operation["responses"].items()}
            assert {"4XX", "429", "5XX"} <= set(answers)
            for status, answer in answers.items():
                assert {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"} <= set(
                    answer["headers"]
                ), status
            assert ("If-Match" in {one["name"] for one in operation["parameters"]}) is (
                method in {"patch", "put"}
            )
    made = SCHEMA["paths"]["/api/v1/accounts"]["post"]["responses"][201]["headers"]
    assert {"Location", "ETag", "Idempotency-Replayed"} <= set(made)
    assert "Link" in SCHEMA["paths"]["/api/v1/items"]["get"]["responses"][200]["headers"]


@pytest.mark.slow
def test_a_pdf_comes_as_bytes_where_a_program_asks_so(cast: Cast, chain: Chain) -> None:
    """What generated clients ask for; else it is a PDF."""
    program, path = program_of(cast.installer), f"/items/{chain.installed.pk}/certificate.pdf"
    kinds = {
        "": "application/pdf",
        "*/*": "application/pdf",
        "application/octet-stream": "application/octet-stream",
    }
    for accepted, kind in kinds.items():
        answer = program.get(path, **({"Accept": accepted} if accepted else {}))
        assert answer.headers["Content-Type"] == kind
        assert answer.content.startswith(b"%PDF-")
