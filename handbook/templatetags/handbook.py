"""The "?" at the heading of a page."""

from typing import Any

from django import template

from handbook.sections import section_url

register = template.Library()


@register.simple_tag(takes_context=True)
def help_url(context: template.Context) -> str:
    """Where the handbook explains the page that is shown; empty where it does not."""
    request: Any = context.get("request")
    match = getattr(request, "resolver_match", None)
    return section_url(match.url_name, request.user) if match and hasattr(request, "user") else ""
