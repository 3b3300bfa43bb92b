"""The API as a whole: its operations, its description, and its addresses."""

import hashlib
import json
import re
from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.translation import get_language
from ninja import NinjaAPI, Router
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation
from ninja.responses import NinjaJSONEncoder

from accounts.permissions import public
from entitlements.api import (
    accounts,
    activations,
    bulk_splits,
    certificates,
    items,
    licenses,
    orders,
    persons,
    products,
    splits,
)
from entitlements.api.auth import unstamped
from entitlements.api.bodies import StrictParser
from entitlements.api.description import complete
from entitlements.api.parameters import refuse_unknown_parameters
from entitlements.api.problems import handle_problems

DESCRIPTION = """
Entitlements, splits, activations and license files, for programs.

* **Token**: a Portal Admin creates it on the account's page. Send it as `Authorization: Bearer mxp_…`. It acts as that
  person, as far as its scopes allow: `read` (everything that can be read), `sell`, `activate`, `orders` (MOBOTIX).
  Activations and returns of End customers' items also work without a token, by the Activation ID alone.
* **Idempotency-Key**: every POST that writes needs a key that you choose, 1 to 64 characters. The same request with the
  same key is done once and gets the same answer (`Idempotency-Replayed: true`), so that you can repeat it after a lost
  answer. Another request with the same key is refused (409).
* **Refusals** are problems (RFC 9457, `application/problem+json`). Programs read `code`, and for fields `codes`; people
  read `detail` and `errors`, in English or German (`Accept-Language`). Unknown fields and query parameters are refused.
* **Lists** come in pages: follow `next` until it is null. The header `Link` (RFC 8288) contains the same address.
* **Limits**: `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` (seconds) are on every answer;
  after 429, wait for `Retry-After` seconds.
"""


RULE = r"[AELNPU]\d+"
RULES = re.compile(rf"^{RULE}(, {RULE})*(: |\. |\.$)|\s\({RULE}(, {RULE})*\)")


def plain(text: str) -> str:
    """Return a docstring without the numbers of our rules, and with Markdown's single marks for code."""
    return RULES.sub("", text).replace("``", "`")


def readable(part: Any) -> Any:
    """Return a part of the description with every docstring made plain."""
    if isinstance(part, list):
        return [readable(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {
        name: plain(value) if name == "description" and isinstance(value, str) else readable(value)
        for name, value in part.items()
    }


class PortalAPI(NinjaAPI):
    """The API, which names operations by their functions and describes their refusals."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return a short name for generated clients."""
        return operation.view_func.__name__

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        """Return the schema with what all operations have in common."""
        schema = super().get_openapi_schema(**options)
        for operations in schema["paths"].values():
            for operation in operations.values():
                operation["summary"] = plain(re.split(r"\.\s", operation["description"])[0].rstrip("."))
        complete(schema)
        schema.update(readable(dict(schema)))
        return schema


api = PortalAPI(
    title="Mx License Portal",
    version="1",
    description=DESCRIPTION,
    docs_url=None,
    urls_namespace="api",
    auth=unstamped,
    parser=StrictParser(),
    servers=[{"url": settings.SITE_URL}],
)
open_to_tokens = public("every operation asks for a token, or says why it needs none")
NOUNS = (
    items,
    splits,
    bulk_splits,
    certificates,
    activations,
    licenses,
    accounts,
    persons,
    products,
    orders,
)
ROUTERS: tuple[Router, ...] = tuple(noun.router for noun in NOUNS)
for router in ROUTERS:
    refuse_unknown_parameters(router)
    api.add_router("", router)
handle_problems(api)


def described(request: HttpRequest) -> HttpResponse:
    """Return the description, made once for each process and language, because making it takes half a second.

    Anybody may ask for it.
    """
    content, etag = _description(get_language() or "en")
    headers = {"Content-Type": "application/json", "Cache-Control": "public, max-age=300", "ETag": etag}
    patch_vary_headers(answer := HttpResponse(content, headers=headers), ["Accept-Language"])
    known = get_conditional_response(request, etag=etag, response=answer)
    return known or answer


@cache
def _description(language: str) -> tuple[bytes, str]:
    content = json.dumps(api.get_openapi_schema(), cls=NinjaJSONEncoder, ensure_ascii=False).encode()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def api_urls() -> tuple[list[Any], str, str]:
    """Return the addresses for path().

    No view of the API requires a login, because every operation has its own stamp.
    """
    mounted: Any = api.urls
    patterns, app_name, namespace = mounted
    for pattern in patterns:
        if pattern.name == "openapi-json":
            pattern.callback = described
        pattern.callback = open_to_tokens(pattern.callback)
        pattern.callback.of_api = True
    return patterns, app_name, namespace
