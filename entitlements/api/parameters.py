"""Refuse unknown query parameters: a mistyped filter would otherwise find everything (P5)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Router
from ninja.operation import Operation

from entitlements.api.problems import Problem


def refuse_unknown_parameters(router: Router) -> None:
    """Refuse them in every operation of the router, after its token and its known parameters were checked."""
    for path in router.path_operations.values():
        for operation in path.operations:
            operation.view_func = _strict(operation.view_func, query_parameters(operation))


def query_parameters(operation: Operation) -> set[str]:
    """Return the names of the parameters in the operation's description."""
    models: Any = operation.models
    return {
        name
        for model in models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    }


def _strict(view: Callable[..., Any], known: set[str]) -> Callable[..., Any]:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if unknown := sorted(set(request.GET) - known):
            detail = _("There is no query parameter “%(name)s” here.") % {"name": unknown[0][:100]}
            raise Problem(400, "unknown-parameter", detail)
        return view(request, *args, **kwargs)

    return checked
