"""The description of the API as a page (P1)."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.permissions import public


@public("what the API can do is no secret; whoever tries it out there needs a token")
@require_safe
def api_docs(request: HttpRequest) -> HttpResponse:
    """Show Swagger UI, from django-ninja's own files."""
    return render(request, "api/docs.html")
