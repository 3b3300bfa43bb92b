"""Add to the description (OpenAPI) what all operations have in common."""

from typing import Any

from entitlements.api.problems import KEY_HEADER, MEDIA_TYPE

JSON_TEXTS = {"type": "array", "items": {"type": "string"}}
PROBLEM = {
    "type": "object",
    "title": "Problem",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A code that never changes; docs/api.md lists all codes"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": JSON_TEXTS,
            "description": "Messages for people, by field",
        },
        "codes": {
            "type": "object",
            "additionalProperties": JSON_TEXTS,
            "description": "A code for each of these messages",
        },
    },
}
NUMBER, TEXT = {"type": "integer"}, {"type": "string"}
HEADERS = {
    "RateLimit-Limit": ("Requests in this window", NUMBER),
    "RateLimit-Remaining": ("Remaining requests in this window", NUMBER),
    "RateLimit-Reset": ("Seconds until the window ends", NUMBER),
    "Retry-After": ("Seconds to wait before the same request is sent again", NUMBER),
    "Location": ("The address of what was created", TEXT),
    "Link": ("The next page, with rel=next (RFC 8288)", TEXT),
    "ETag": ("The version that is shown; send it as If-Match to change this version only", TEXT),
    "Idempotency-Replayed": ("`true`: the stored answer to an earlier request with this key", TEXT),
}
ON_EVERY_ANSWER = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
HAVE_ETAGS = {"AccountOut", "PersonOut", "ProductOut"}
IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "ETags of the versions that may be changed; other versions are refused (412)",
    "schema": {"type": "string"},
}


def complete(schema: dict[str, Any]) -> None:
    """Add refusals, faults, and headers of requests and answers to ninja's description."""
    schema["components"]["schemas"]["Problem"] = PROBLEM
    schema["components"]["headers"] = {
        name: {"description": description, "schema": kind} for name, (description, kind) in HEADERS.items()
    }
    for operations in schema["paths"].values():
        for method, operation in operations.items():
            _describe_requests(method, operation)
            _describe_answers(method, operation)


def _describe_requests(method: str, operation: dict[str, Any]) -> None:
    """Describe headers of requests. Their names ignore case; the key has the spelling of its draft standard."""
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        if parameter["name"] == KEY_HEADER:
            parameter["name"] = "Idempotency-Key"
    if method in ("patch", "put"):
        parameters.append(IF_MATCH)


def _describe_answers(method: str, operation: dict[str, Any]) -> None:
    has_key = any(one["name"] == "Idempotency-Key" for one in operation["parameters"])
    for status, answer in operation["responses"].items():
        shown = str(answer.get("content", ""))
        names = [
            *ON_EVERY_ANSWER,
            *(["Location"] if str(status) == "201" else []),
            *(["Idempotency-Replayed"] if has_key else []),
            *(["Link"] if "/Page_" in shown else []),
            *(["ETag"] if any(f"/{name}'" in shown for name in HAVE_ETAGS) and "/Page_" not in shown else []),
        ]
        answer["headers"] = _headers(*names)
    for status, description in (
        ("4XX", "A refusal: nothing was done"),
        ("429", "Too many requests"),
        (
            "5XX",
            "An error of the portal, or the portal is not available: send the same request again with the same key",
        ),
    ):
        more = () if status == "4XX" else ("Retry-After",)
        operation["responses"][status] = {
            "description": description,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
            "headers": _headers(*ON_EVERY_ANSWER, *more),
        }


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
