"""A program that speaks to the API."""

import re
from dataclasses import dataclass
from typing import Any

from django.test import Client

from accounts.models import User
from accounts.services.api_tokens import new_secret
from mxportal.shared.forms import new_key
from tests.factories import make_token

ROOT = "/api/v1"
CLIENT = Client()  # one for all: each would look through all static files first


@dataclass
class Program:
    """With a token, or without."""

    secret: str = ""

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer; ``body`` goes as JSON, or as it is where it is bytes."""
        if self.secret:
            headers["Authorization"] = f"Bearer {self.secret}"
        content: dict[str, Any] = {}
        if body is not None:
            content = {"data": body, "content_type": "application/json"}
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return getattr(CLIENT, method.lower())(f"{ROOT}{path}", headers=sent, **content)

    def get(self, path: str, **headers: str) -> Any:
        """The answer to a question."""
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any, *, key: str | None = None, **headers: str) -> Any:
        """With a key of its own, unless it is given."""
        return self.ask("POST", path, body, Idempotency_Key=new_key() if key is None else key, **headers)


def program_of(user: User, *scopes: str) -> Program:
    """With a token of this admin."""
    secret = new_secret()
    make_token(user, *scopes, secret=secret)
    return Program(secret)


def assert_problem(
    answer: Any, status: int, kind: str = "", *, fields: tuple[str, ...] = ()
) -> dict[str, Any]:
    """RFC 9457. Returns it."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == status
    assert found["type"] == (f"urn:mx-license-portal:problem:{kind}" if kind else "about:blank")
    assert found["title"]
    assert re.fullmatch(r"[a-z][a-z-]+", found["code"])
    assert found.get("codes", {}).keys() == found.get("errors", {}).keys()
    assert found["detail"]
    assert set(found.get("errors", {})) == set(fields), found
    return found


def mistyped(activation_id: str) -> str:
    """With another last character."""
    return activation_id[:-1] + ("0" if activation_id[-1] != "0" else "1")
