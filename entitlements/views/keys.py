"""L6: the public keys, for whoever checks what the portal signed."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts.permissions import public
from entitlements.ledger.signing import public_keys


@public("signatures are checked without the portal; public keys are no secret")
@cache_control(public=True, max_age=300)
@require_safe
def jwks(request: HttpRequest) -> JsonResponse:
    """A JSON Web Key Set. A rotation is seen after five minutes at the latest."""
    return JsonResponse(public_keys(), content_type="application/jwk-set+json")
