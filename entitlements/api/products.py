"""Products, for which MOBOTIX sells licenses (E1)."""

from typing import Any

from django.http import HttpResponse
from ninja import Query, Router, Schema

from accounts.permissions import Permission
from entitlements.api.answers import once
from entitlements.api.auth import Token, TokenRequest
from entitlements.api.etags import etag, tagged, unchanged
from entitlements.api.shapes import (
    IdempotencyKey,
    In,
    Page,
    PageQuery,
    Paragraphs,
    PartNumber,
    Text40,
    Text200,
    checked,
    location,
    page_of,
)
from entitlements.models import LicenseModel, Product
from entitlements.orders.forms.products import PRODUCT_FIELDS, ProductForm
from entitlements.orders.services.products import save_product

router = Router(tags=["Products"])


class ProductOut(Schema):
    """A product with its names in both languages."""

    part_number: str
    name_en: str
    name_de: str
    description_en: str
    description_de: str
    license_model: LicenseModel
    unit: str
    is_active: bool


class ProductChange(In):
    """The fields to change; all others stay as they are."""

    name_en: Text200 | None = None
    name_de: Text200 | None = None
    description_en: Paragraphs | None = None
    description_de: Paragraphs | None = None
    license_model: LicenseModel | None = None
    unit: Text40 | None = None
    is_active: bool | None = None


class ProductIn(ProductChange):
    """A new product."""

    part_number: PartNumber
    name_en: Text200
    name_de: Text200


class ProductQuery(PageQuery):
    """The part number of one product. Without it, all products are listed."""

    part_number: PartNumber | None = None


@router.get("/products", auth=Token(Permission.VIEW), response=Page[ProductOut])
def product_list(request: TokenRequest, query: Query[ProductQuery]) -> Page[Any]:
    """List the products, newest first, or find one by its part number."""
    products = Product.objects.all()
    if query.part_number is not None:
        products = products.filter(part_number__iexact=query.part_number)
    items, address = page_of(request, products, query)
    return Page.model_construct(items=items, next=address)


@router.get("/products/{path:part_number}", auth=Token(Permission.VIEW), response=ProductOut)
def product_detail(request: TokenRequest, response: HttpResponse, part_number: PartNumber) -> ProductOut:
    """Get one product."""
    return tagged(response, ProductOut.from_orm(Product.objects.get(part_number__iexact=part_number)))


@router.post("/products", auth=Token(Permission.MANAGE_PRODUCTS), response={201: ProductOut})
def product_create(request: TokenRequest, body: ProductIn, idempotency_key: IdempotencyKey) -> HttpResponse:
    """Create a product."""

    def create() -> Product:
        fields = checked(ProductForm, body.model_dump(), product=None)
        return save_product(actor=request.user, key=idempotency_key, **fields)

    return once(request, idempotency_key, create, ProductOut.from_orm, status=201, headers=_at_product)


@router.patch("/products/{path:part_number}", auth=Token(Permission.MANAGE_PRODUCTS), response=ProductOut)
def product_change(
    request: TokenRequest,
    part_number: PartNumber,
    body: ProductChange,
    idempotency_key: IdempotencyKey,
) -> HttpResponse:
    """Change a product; its part number is fixed because orders name it.

    New entitlements cannot contain an inactive product.
    """

    def change() -> Product:
        product = Product.objects.get(part_number__iexact=part_number)
        given = body.model_dump(exclude_unset=True)
        fields = checked(ProductForm, given, product=product)
        wanted = {name: fields[name] for name in PRODUCT_FIELDS if name in given}
        check = unchanged(request, ProductOut.from_orm)
        return save_product(
            actor=request.user, key=idempotency_key, product_id=product.pk, precondition=check, **wanted
        )

    return once(request, idempotency_key, change, ProductOut.from_orm, headers=etag)


def _at_product(shown: ProductOut) -> dict[str, str]:
    return location("products", shown.part_number) | etag(shown)
