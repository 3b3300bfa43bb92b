"""Products that MOBOTIX sells licenses for (E1)."""

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from mxportal.shared.queries import LockingQuerySet


class LicenseModel(models.TextChoices):
    """The license model of a product: term licenses have an expiration date, perpetual ones may have none (E1)."""

    PERPETUAL = "perpetual", _("Perpetual")
    TERM = "term", _("Term")


class ProductQuerySet(LockingQuerySet["Product"]):
    """Filters of the product list."""

    def active(self) -> Self:
        """Keep products that new entitlements may contain."""
        return self.filter(is_active=True)

    def names(self) -> models.QuerySet["Product", tuple[int, str]]:
        """Return primary key and name in the reader's language, ordered by part number."""
        name = "name_de" if get_language() == "de" else "name_en"
        return self.order_by("part_number").values_list("pk", name)


class Product(models.Model):
    """A product with its names in both languages; never deleted, but set inactive (A6)."""

    part_number = models.CharField(_("Part number"), max_length=40)
    name_en = models.CharField(_("Name (English)"), max_length=200)
    name_de = models.CharField(_("Name (German)"), max_length=200)
    description_en = models.TextField(_("Description (English)"), max_length=2000, blank=True)
    description_de = models.TextField(_("Description (German)"), max_length=2000, blank=True)
    license_model = models.CharField(
        _("License model"), max_length=10, choices=LicenseModel.choices, default=LicenseModel.PERPETUAL
    )
    unit = models.CharField(_("Unit"), max_length=40, default="license")
    is_active = models.BooleanField(_("Active"), default=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Upper("part_number"), name="product_part_number_unique_without_case"),
            models.CheckConstraint(
                condition=Q(license_model__in=LicenseModel.values), name="product_license_model_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_de if get_language() == "de" else self.name_en

    @property
    def description(self) -> str:
        """The description in the reader's language."""
        return self.description_de if get_language() == "de" else self.description_en
