"""Who may ask. A network policy says from where; a token says who, where the network does not keep to policies."""

import hmac
from pathlib import Path

from werkzeug.datastructures import Authorization

from loadtester.errors import Away, Unknown

REMEDY = "send `Authorization: Bearer TOKEN`, or write it into the webhook's url: http://detour:TOKEN@…"


class Token:
    """The tokens of a file, one a line, any of which will do; without a file, anybody.

    The file is read for each request: a Secret that is changed counts as soon as the kubelet has brought it, and while
    two lines are in it both are good. An empty file, or none where one is named, lets nobody in.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path

    def check(self, shown: Authorization | None) -> None:
        """Raises Unknown for who does not show it, and Away where it cannot be read."""
        if self._path is None:
            return
        try:
            tokens = self._path.read_bytes().split()
        except OSError as error:
            raise Away("the load tester cannot read its token, so nobody is let in: look at its Secret") from error
        given = _given(shown).encode()
        if not any(hmac.compare_digest(given, token) for token in tokens):
            raise Unknown(f"the load tester's token is missing or wrong: {REMEDY}")


def _given(shown: Authorization | None) -> str:
    """A client makes the password of an address into Basic credentials (RFC 7617); curl's `-H` sends a Bearer."""
    if shown is None or shown.type not in ("bearer", "basic"):
        return ""
    return (shown.token if shown.type == "bearer" else shown.password) or ""
