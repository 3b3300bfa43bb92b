"""Template tags of the portal's pages. They know no app: the user is asked by `user.may(name)` only."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from django import template
from django.templatetags.static import static
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

register = template.Library()

PERMANENT = date(9999, 12, 31)


@dataclass(frozen=True)
class Item:
    """One entry of the menu: where it leads, and the permission that shows it."""

    name: str
    label: str | Promise
    permission: str = "view"


@dataclass(frozen=True)
class Section:
    """One menu of the seed's manual. `prefixes` are the URL names that belong to it."""

    key: str
    label: str | Promise
    items: tuple[Item, ...]
    prefixes: tuple[str, ...]


MENU = (
    Section(
        "entitlements",
        gettext_lazy("Activation & Entitlements"),
        (
            Item("line_item_list", gettext_lazy("List Entitlements")),
            Item("device_list", gettext_lazy("Devices")),
            Item("offline_activation", gettext_lazy("Offline activation"), "activate"),
            Item("bulk_split_list", gettext_lazy("Bulk splits")),
            Item("mail_list", gettext_lazy("E-mails")),
            Item("product_list", gettext_lazy("Products"), "manage_products"),
            Item("entitlement_create", gettext_lazy("Create Entitlement"), "create_entitlements"),
        ),
        (
            "line_item",
            "entitlement",
            "mail_",
            "product",
            "split",
            "bulk_split",
            "certificate",
            "license",
            "offline",
            "device",
            "activation",
        ),
    ),
    Section(
        "accounts",
        gettext_lazy("Accounts & Users"),
        (
            Item("account_list", gettext_lazy("List accounts")),
            Item("related_account_list", gettext_lazy("List related accounts")),
        ),
        ("account", "related_account", "user", "contact", "relation", "api_"),
    ),
)
# allauth's pages are called account_…, too, but belong to the person and not to "Accounts & Users".
PERSONAL = ("account_login", "account_logout", "account_change_password", "account_reset_password")


@register.filter
def may(user: Any, permission: str) -> bool:
    """U3: whether this user's role holds the permission; False for visitors."""
    return bool(getattr(user, "is_authenticated", False) and user.may(permission))


@register.filter
def day(value: date | None, empty: str = "–") -> str:
    """E14: a date as a day; 9999-12-31, as which "permanent" is stored, in words."""
    if not value:
        return empty
    if value == PERMANENT:
        return _("Permanent")
    return date_format(value, "SHORT_DATE_FORMAT")


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A stroke of static/img/icons.svg. Without a label it is decoration and hidden from screen readers."""
    address = f"{static('img/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="mx-icon" role="img" aria-label="{}"><use href="{}"></use></svg>', label, address
        )
    return format_html('<svg class="mx-icon" aria-hidden="true"><use href="{}"></use></svg>', address)


@register.simple_tag(takes_context=True)
def portal_menu(context: template.Context) -> list[dict[str, Any]]:
    """The sections with the entries that the user's role may open; empty for visitors."""
    request = context.get("request")
    user = getattr(request, "user", None)
    name = _url_name(request)
    current = context.get("section") or _section_of(name)
    sections = []
    for section in MENU:
        items = list(_entries(section, user, name))
        if items:
            sections.append({"label": section.label, "items": items, "current": section.key == current})
    return sections


@register.simple_tag(takes_context=True)
def url_name_is(context: template.Context, *names: str) -> bool:
    """Whether the page that is shown has one of these URL names."""
    return _url_name(context.get("request")) in names


def _url_name(request: Any) -> str:
    match = getattr(request, "resolver_match", None)
    return (match.url_name or "") if match else ""


def _section_of(name: str) -> str:
    if name.startswith(PERSONAL):
        return ""
    return next((section.key for section in MENU if name.startswith(section.prefixes)), "")


def _entries(section: Section, user: Any, name: str) -> Iterator[dict[str, Any]]:
    for item in section.items:
        if may(user, item.permission):
            yield {"label": item.label, "url": reverse(item.name), "current": item.name == name}


@register.simple_block_tag
def menu(content: str, label: str, symbol: str = "", look: str = "btn-outline-secondary") -> SafeString:
    """A drop-down that works without JavaScript; inside go `<a>` and `<button form="…" formaction="…">`."""
    return format_html(
        '<details class="mx-menu" name="mx-menu"><summary class="btn {}">{}<span>{}</span>{}</summary>'
        '<div class="mx-menu-list">{}</div></details>',
        look,
        icon(symbol) if symbol else "",
        label,
        icon("down"),
        content,
    )


STATES = {
    "draft": (gettext_lazy("Draft"), "draft"),
    "deployed": (gettext_lazy("Deployed"), "deployed"),
    "inactive": (gettext_lazy("Inactive"), "inactive"),
    "obsolete": (gettext_lazy("Obsolete"), "obsolete"),
    "expired": (gettext_lazy("Expired"), "expired"),
    "active": (gettext_lazy("Active"), "deployed"),
    "revoked": (gettext_lazy("Revoked"), "obsolete"),
    "suspended": (gettext_lazy("Suspended"), "inactive"),
    "queued": (pgettext_lazy("mail", "Queued"), "draft"),
    "sent": (pgettext_lazy("mail", "Sent"), "deployed"),
    "failed": (pgettext_lazy("mail", "Failed"), "expired"),
    "cancelled": (pgettext_lazy("mail", "No longer needed"), "obsolete"),
    "checking": (gettext_lazy("Being checked"), "draft"),
    "ready": (gettext_lazy("Ready to split"), "inactive"),
    "to_correct": (gettext_lazy("To be corrected"), "expired"),
    "running": (gettext_lazy("Being split"), "draft"),
    "done": (pgettext_lazy("state", "Split"), "deployed"),
    "mailing": (gettext_lazy("Being e-mailed"), "draft"),
    "undoing": (gettext_lazy("Being undone"), "draft"),
    "undone": (gettext_lazy("Undone"), "obsolete"),
    "discarded": (gettext_lazy("Discarded"), "obsolete"),
}


@register.simple_tag
def state(value: Any, expired: bool = False) -> SafeString:
    """E3: the badge of a state (a user's, an account's, a mail's, too); Expired stands beside it."""
    badges = (_badge(name) for name in _shown_states(value, expired))
    return format_html_join(" ", '<span class="mx-state mx-state-{1}">{0}</span>', badges)


@register.simple_tag
def state_name(value: Any, expired: bool = False) -> str:
    """E3: the same in words, where there is no room for a badge."""
    return " · ".join(str(_badge(name)[0]) for name in _shown_states(value, expired))


def _shown_states(value: Any, expired: bool) -> list[str]:
    return [str(value).lower()] + (["expired"] if expired else [])


def _badge(name: str) -> tuple[Any, str]:
    return STATES.get(name, (name.title(), "draft"))


@register.simple_tag
def balance(available: int, split: int, activated: int = 0) -> SafeString:
    """E4: a bar of where the copies of a line item are; the numbers are in its label."""
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
