"""MOBOTIX's products."""

from typing import Any

import pytest
from django.urls import reverse

from entitlements.models import LicenseModel, Product
from mxportal.shared.forms import new_key
from tests.entitlements.pages import assert_statuses, client_of, errors_of, html_of
from tests.factories import Cast, make_product

pytestmark = pytest.mark.django_db


def typed(**changes: Any) -> dict[str, Any]:
    return {
        "key": new_key(),
        "part_number": "Mx-Q71",
        "name_en": "People counting",
        "name_de": "Personenzählung",
        "description_en": "",
        "description_de": "",
        "license_model": LicenseModel.TERM.value,
        "unit": "channel",
        "is_active": "yes",
    } | changes


def test_create(cast: Cast) -> None:
    """E1: names in both languages, license model, unit."""
    response = client_of(cast.mobotix).post(reverse("product_create"), typed(), follow=True)
    product = Product.objects.get(part_number="Mx-Q71")

    assert (product.name_de, product.license_model, product.unit) == ("Personenzählung", "term", "channel")
    assert "Product Mx-Q71 is saved." in html_of(response)


def test_edit(cast: Cast) -> None:
    """E1, A6: never deleted, but inactive."""
    product = make_product("OLD-1")
    data = typed(part_number="OLD-1", is_active="no")
    client_of(cast.mobotix).post(reverse("product_edit", args=[product.pk]), data)
    product.refresh_from_db()

    assert (product.name_en, product.is_active) == ("People counting", False)


@pytest.mark.parametrize("taken", ["OLD-1", "old-1", " Old-1 "])
def test_a_part_number_that_exists_in_any_case(cast: Cast, taken: str) -> None:
    """E1: a sentence at the field; the rest stays typed."""
    make_product("OLD-1")
    response = client_of(cast.mobotix).post(reverse("product_create"), typed(part_number=taken))

    assert errors_of(response) == {"part_number": ["There is already a product with this part number."]}
    assert "Personenzählung" in html_of(response)
    assert Product.objects.filter(part_number__iexact="old-1").count() == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("part_number", ""),
        ("part_number", "x" * 10_000),
        ("name_en", " "),
        ("name_de", "x" * 201),
        ("description_en", "x" * 2001),
        ("license_model", "rental"),
        ("unit", ""),
    ],
)
def test_bad_input(cast: Cast, field: str, value: str) -> None:
    """E1: at its field, nothing lost."""
    response = client_of(cast.mobotix).post(reverse("product_create"), typed(**{field: value}))

    assert list(errors_of(response)) == [field]
    assert "Personenzählung" in html_of(response) or field == "name_de"


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "{{ 7 }}", "\"quoted\" 'name'", "監視", "שלום"]
)
def test_names_in_any_script(cast: Cast, name: str) -> None:
    """E1: kept as typed, escaped on the list."""
    client_of(cast.mobotix).post(reverse("product_create"), typed(name_en=name))

    assert Product.objects.get(part_number="Mx-Q71").name_en == name
    assert "<script>alert" not in html_of(client_of(cast.mobotix).get(reverse("product_list")))


def test_the_same_form_twice(cast: Cast) -> None:
    """E7: a double click makes one product."""
    data = typed()
    client = client_of(cast.mobotix)
    assert [client.post(reverse("product_create"), data).status_code for _ in range(2)] == [302, 302]
    assert Product.objects.filter(part_number="Mx-Q71").count() == 1


@pytest.mark.parametrize(
    ("text", "found"), [("q7", True), ("PEOPLE", True), ("zählung", True), ("zzz", False)]
)
def test_search(cast: Cast, text: str, found: bool) -> None:
    """E1: by part number or name."""
    client_of(cast.mobotix).post(reverse("product_create"), typed())
    page = html_of(client_of(cast.mobotix).get(reverse("product_list"), {"q": text}))

    assert ("Mx-Q71" in page) == found
    assert cast.product.part_number not in page
    assert ("No product matches" in page) != found


@pytest.mark.parametrize("rows", [1, 30])
def test_a_fixed_number_of_queries(cast: Cast, rows: int, django_assert_max_num_queries: Any) -> None:
    """E1: whatever the number of rows."""
    for _ in range(rows):
        make_product()
    client = client_of(cast.mobotix)
    with django_assert_max_num_queries(4):
        client.get(reverse("product_list"))


def test_mobotix_admins_alone(cast: Cast) -> None:
    """U3."""
    for name, args in (("product_list", []), ("product_create", []), ("product_edit", [cast.product.pk])):
        assert_statuses(
            reverse(name, args=args),
            [
                (cast.mobotix, 200),
                (cast.mobotix_viewer, 403),
                (cast.distributor, 403),
                (cast.installer_viewer, 403),
            ],
        )
    assert_statuses(reverse("product_edit", args=[10**6]), [(cast.mobotix, 404)])
