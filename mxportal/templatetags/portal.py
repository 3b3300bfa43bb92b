"""Template tags of the portal's pages. They know no app: `user.may(name)` answers for the user."""

from datetime import date
from typing import Any

from django import template
from django.template.loader_tags import BLOCK_CONTEXT_KEY
from django.templatetags.static import static
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from mxportal.shared.badges import Badge, badge_of
from mxportal.shared.navigation import Entry, Menu, registered_entries

register = template.Library()

PERMANENT = date(9999, 12, 31)


@register.filter
def may(user: Any, permission: str) -> bool:
    """Return whether this user's role holds the permission; False for visitors (U3)."""
    return bool(getattr(user, "is_authenticated", False) and user.may(permission))


@register.filter
def day(value: date | None, empty: str = "–") -> str:
    """Return a date as a day; 9999-12-31, as which "permanent" is stored, in words (E14)."""
    if not value:
        return empty
    if value == PERMANENT:
        return _("Permanent")
    return date_format(value, "SHORT_DATE_FORMAT")


@register.simple_tag(takes_context=True)
def block_again(context: template.Context, name: str) -> SafeString:
    """Render a block of the page a second time; Django allows `{% block %}` once for each name."""
    return context.render_context[BLOCK_CONTEXT_KEY].get_block(name).render(context)


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return a symbol of static/img/icons.svg. Without a label it is decoration and hidden from screen readers."""
    address = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="mx-icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, address
        )
    return format_html('<svg class="mx-icon" aria-hidden="true"><use href="{}"></use></svg>', address)


@register.simple_tag(takes_context=True)
def main_menu(context: template.Context) -> list[dict[str, Any]]:
    """Return the entries of the main menu that the user's role may open. A menu has links, a single link has a URL."""
    user = getattr(context.get("request"), "user", None)
    route = _route(context)
    shown = (_shown(entry, user, route) for entry in registered_entries())
    return [entry for entry in shown if entry]


def _shown(entry: Entry, user: Any, route: str) -> dict[str, Any] | None:
    shown: dict[str, Any] = {"label": entry.label, "current": entry.is_current(route)}
    if isinstance(entry, Menu):
        links = (_shown(link, user, route) for link in entry.links)
        shown["links"] = [link for link in links if link]
        return shown if shown["links"] else None
    return shown | {"url": reverse(entry.route)} if may(user, entry.permission) else None


@register.simple_tag(takes_context=True)
def url_name_is(context: template.Context, *names: str) -> bool:
    """Return whether the present page has one of these URL names."""
    return _route(context) in names


def _route(context: template.Context) -> str:
    match = getattr(context.get("request"), "resolver_match", None)
    return (match.url_name or "") if match else ""


@register.simple_block_tag
def menu(content: str, label: str, symbol: str = "", look: str = "btn-outline-secondary") -> SafeString:
    """Render a drop-down that works without JavaScript, with `<a>` and `<button form="…" formaction="…">` inside."""
    return format_html(
        '<details class="mx-menu" name="mx-menu"><summary class="btn {}">{}<span>{}</span>{}</summary>'
        '<div class="mx-menu-list">{}</div></details>',
        look,
        icon(symbol) if symbol else "",
        label,
        icon("down"),
        content,
    )


@register.simple_tag
def state(value: Any, expired: bool = False) -> SafeString:
    """Render the badge of a state (also of a user, an account, a mail); Expired is shown beside it (E3)."""
    badges = ((badge.label, badge.look) for badge in _badges(value, expired))
    return format_html_join(" ", '<span class="mx-state mx-state-{1}">{0}</span>', badges)


@register.simple_tag
def state_name(value: Any, expired: bool = False) -> str:
    """Return the state in words, where there is no room for a badge (E3)."""
    return " · ".join(str(badge.label) for badge in _badges(value, expired))


def _badges(value: Any, expired: bool) -> list[Badge]:
    return [badge_of(name) for name in [str(value).lower(), *(["expired"] if expired else [])]]


@register.simple_tag
def balance(available: int, split: int, activated: int = 0) -> SafeString:
    """Render a bar of where the copies of a line item are; its label has the numbers (E4)."""
    total = max(available + split + activated, 1)
    label = _("%(available)s available, %(split)s split, %(activated)s activated") % {
        "available": available,
        "split": split,
        "activated": activated,
    }
    parts = (("split", split), ("activated", activated), ("available", available))
    bars, x = [], 0.0
    for name, copies in parts:
        width = 100 * copies / total
        bars.append((name, f"{x:.2f}", f"{width:.2f}"))
        x += width
    rects = format_html_join("", '<rect class="mx-bar-{}" x="{}" width="{}" height="4"></rect>', bars)
    attributes = format_html('role="img" aria-label="{}" viewBox="0 0 100 4"', label)
    return format_html('<svg class="mx-bar" {} preserveAspectRatio="none">{}</svg>', attributes, rects)
