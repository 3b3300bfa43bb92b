"""The addresses of the pages of entitlements, and of the API."""

from django.urls import path

from entitlements.activation.offline import views as offline
from entitlements.activation.views import activate, activate_many, devices, licenses, returns
from entitlements.api import docs as api_docs
from entitlements.api.app import api_urls
from entitlements.bulk.views import create as bulk_create
from entitlements.bulk.views import detail as bulk_detail
from entitlements.certificates import views as certificates
from entitlements.mailing import views as mailing
from entitlements.orders.views import corrections, issue, products, replacing, states, transfer
from entitlements.overview import views as overview
from entitlements.splits import views as splits

urlpatterns = [
    path("api/v1/docs", api_docs.api_docs, name="api_docs"),
    path("api/v1/", api_urls()),
    path("", overview.home, name="home"),
    path("entitlements/", overview.line_item_list, name="line_item_list"),
    path("entitlements/search/", overview.line_item_search, name="line_item_search"),
    path("entitlements/go/<str:step>/", overview.line_item_go, name="line_item_go"),
    path("entitlements/new/", issue.entitlement_create, name="entitlement_create"),
    path("entitlements/<int:pk>/", overview.entitlement_detail, name="entitlement_detail"),
    path("items/<int:pk>/", overview.line_item_detail, name="line_item_detail"),
    path("items/<int:pk>/history/", overview.line_item_history, name="line_item_history"),
    path("entitlements/<int:pk>/lines/new/", issue.entitlement_add_lines, name="entitlement_add_lines"),
    path("entitlements/<int:pk>/deploy/", issue.entitlement_deploy, name="entitlement_deploy"),
    path("items/<int:pk>/split/", splits.line_item_split, name="line_item_split"),
    path("items/<int:pk>/split/done/", splits.line_item_split_done, name="line_item_split_done"),
    path("items/<int:pk>/undo/", splits.line_item_undo, name="line_item_undo"),
    path("items/<int:pk>/email/", mailing.line_item_email, name="line_item_email"),
    path("items/<int:pk>/certificate/", certificates.line_item_certificate, name="line_item_certificate"),
    path("items/<int:pk>/activate/", activate.line_item_activate, name="line_item_activate"),
    path(
        "items/<int:pk>/activate/many/", activate_many.line_item_activate_many, name="line_item_activate_many"
    ),
    path("items/<int:pk>/activate/done/", activate_many.line_item_activated, name="line_item_activated"),
    path("items/<int:pk>/activations/", activate.line_item_activations, name="line_item_activations"),
    path("items/<int:pk>/licenses/", licenses.line_item_licenses, name="line_item_licenses"),
    path("devices/", devices.device_list, name="device_list"),
    path("devices/download/", devices.device_export, name="device_export"),
    path("devices/new/", devices.device_create, name="device_create"),
    path("devices/<int:pk>/", devices.device_detail, name="device_detail"),
    path("devices/<int:pk>/edit/", devices.device_edit, name="device_edit"),
    path("devices/<int:pk>/replace/", returns.device_replace, name="device_replace"),
    path("activations/<int:pk>/return/", returns.activation_return, name="activation_return"),
    path("activations/<int:pk>/rehost/", returns.activation_rehost, name="activation_rehost"),
    path("licenses/<uuid:license_id>/", licenses.license_detail, name="license_detail"),
    path("licenses/<uuid:license_id>/download/", licenses.license_download, name="license_download"),
    path("accounts/<int:pk>/move/", transfer.account_transfer, name="account_move"),
    path("items/<int:pk>/replace/", replacing.line_item_replace, name="line_item_replace"),
    path("items/<int:pk>/quantity/", corrections.line_item_quantity, name="line_item_quantity"),
    path("items/<int:pk>/state/", states.line_item_state, name="line_item_state"),
    path("bulk-splits/", bulk_detail.bulk_split_list, name="bulk_split_list"),
    path("bulk-splits/new/", bulk_create.bulk_split_create, name="bulk_split_create"),
    path("bulk-splits/template/<str:kind>/", bulk_create.bulk_split_template, name="bulk_split_template"),
    path("bulk-splits/<int:pk>/", bulk_detail.bulk_split_detail, name="bulk_split_detail"),
    path("bulk-splits/<int:pk>/correct/", bulk_detail.bulk_split_correct, name="bulk_split_correct"),
    path("bulk-splits/<int:pk>/split/", bulk_detail.bulk_split_carry_out, name="bulk_split_carry_out"),
    path(
        "bulk-splits/<int:pk>/download/<str:kind>/",
        bulk_detail.bulk_split_download,
        name="bulk_split_download",
    ),
    path("bulk-splits/<int:pk>/email/", bulk_detail.bulk_split_email, name="bulk_split_email"),
    path("bulk-splits/<int:pk>/discard/", bulk_detail.bulk_split_discard, name="bulk_split_discard"),
    path("bulk-splits/<int:pk>/undo/", bulk_detail.bulk_split_undo, name="bulk_split_undo"),
    path("products/", products.product_list, name="product_list"),
    path("products/new/", products.product_create, name="product_create"),
    path("products/<int:pk>/edit/", products.product_edit, name="product_edit"),
    path("mails/", mailing.mail_list, name="mail_list"),
    path("mails/send-again/", mailing.mail_send_all_again, name="mail_send_all_again"),
    path("mails/<int:pk>/send-again/", mailing.mail_send_again, name="mail_send_again"),
    path("mails/<int:pk>/correct/", mailing.mail_correct, name="mail_correct"),
    path(".well-known/jwks.json", certificates.jwks, name="jwks"),
    path("activate/", offline.offline_activation, name="offline_activation"),
    path("activate/licenses/<str:link>/", offline.offline_licenses, name="offline_licenses"),
    path("verify/", certificates.verify_start, name="verify_start"),
    path("verify/<str:code>/", certificates.verify, name="verify"),
]
