"""A client that goes on to the page of a draft, as browsers do."""

from typing import Any

from django.test import Client


class FollowingClient(Client):
    """Every redirect but the one to a draft is the answer."""

    def request(self, **request: Any) -> Any:
        """Django's, and the page of the draft."""
        response = super().request(**request)
        location = response.headers.get("Location", "")
        is_draft = response.status_code == 302 and "draft=" in location and "next=" not in location
        return self.get(location) if is_draft else response
