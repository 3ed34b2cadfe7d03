"""Somebody with a browser: keeps the cookies that it is given, and shows them with its next request."""

import json
from http.cookies import SimpleCookie

import urllib3

from tests.cluster.users import plainly


class Visitor:
    """Of one host, by the Ingress controller."""

    def __init__(self, host: str) -> None:
        self._host, self._pool = host, plainly()
        self.cookies: dict[str, str] = {}

    def version(self) -> str:
        """The version that answers. Raises AssertionError for what is no answer of the application."""
        shown = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Host": self._host, **({"Cookie": shown} if shown else {})}
        answer = self._pool.request("GET", "/api/info", headers=headers, retries=False)
        assert answer.status == 200, f"{answer.status} for a visitor with the cookies {self.cookies}"
        self._keep(answer)
        return str(json.loads(answer.data)["version"])

    def _keep(self, answer: urllib3.BaseHTTPResponse) -> None:
        for header in answer.headers.getlist("Set-Cookie"):
            for name, morsel in SimpleCookie(header).items():
                if morsel["max-age"].lstrip("-").isdigit() and int(morsel["max-age"]) <= 0:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value


def versions(visitors: list[Visitor]) -> list[str]:
    """What each of them meets, now."""
    return [visitor.version() for visitor in visitors]
