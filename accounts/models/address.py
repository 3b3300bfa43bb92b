"""Address and telephone numbers, which accounts and users share."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField


class Address(models.Model):
    """Postal address and telephone numbers (A3, U1)."""

    street = models.CharField(_("Street"), max_length=200, blank=True)
    street2 = models.CharField(_("Street 2"), max_length=200, blank=True)
    postal_code = models.CharField(_("Postal code"), max_length=20, blank=True)
    city = models.CharField(_("City"), max_length=100, blank=True)
    region = models.CharField(_("State/Region"), max_length=100, blank=True)
    country = CountryField(verbose_name=_("Country"), blank=True)
    phone = models.CharField(_("Phone"), max_length=40, blank=True)
    fax = models.CharField(_("Fax"), max_length=40, blank=True)

    class Meta:
        abstract = True

    def address_lines(self) -> list[str]:
        """Return the postal address as lines for a letter or a certificate, without empty parts."""
        place = " ".join(filter(None, [self.postal_code, self.city]))
        country = str(self.country.name) if self.country else ""  # type: ignore[attr-defined]
        return [line for line in (self.street, self.street2, place, self.region, country) if line]
