"""What a visitor reads who asked too often."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def please_wait(request: HttpRequest, seconds: int) -> HttpResponse:
    """429, with the time in minutes for people and in seconds for programs."""
    context = {"minutes": max(1, -(-seconds // 60))}
    response = render(request, "429.html", context, status=429)
    response["Retry-After"] = str(seconds)
    return response


def wait_a_minute(request: HttpRequest) -> HttpResponse:
    """What django-allauth's limits answer: all of them count by the minute."""
    return please_wait(request, 60)
