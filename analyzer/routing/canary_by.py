"""The canary annotations that choose requests by a header or a cookie, and what they cannot choose by.

There is room for one header and for one cookie; either is enough. A header has a value or a pattern, so several matches
of one header are one pattern. A cookie is found by its name, and has to be `always`, as Flagger's documentation has it.
(ingress-nginx, "Canary": precedence is header, cookie, weight.)
"""

from collections.abc import Sequence

from analyzer.routing.matching import pattern
from analyzer.traffic import Header, How, Match

HEADER, COOKIE = "canary-by-header", "canary-by-cookie"
VALUE, PATTERN = f"{HEADER}-value", f"{HEADER}-pattern"
ALWAYS = "always"


def annotations(matches: Sequence[Match]) -> dict[str, str]:
    """Without their prefix. `matches` are such that `problem` has nothing to say."""
    headers = [header for match in matches for header in match.headers if not _is_name(header)]
    cookies = [header for match in matches for header in match.headers if _is_name(header)]
    chosen = {COOKIE: _name(cookies[0])} if cookies else {}
    if not headers:
        return chosen
    chosen[HEADER] = headers[0].name
    if len(headers) == 1 and headers[0].how is How.EXACT:
        return chosen | {VALUE: headers[0].value}
    return chosen | {PATTERN: "|".join(pattern(header) for header in headers)}


def problem(matches: Sequence[Match]) -> str:
    """Which of the matches the annotations cannot tell apart; "" where they can do all."""
    if any(len(match.headers) != 1 for match in matches):
        return "cannot require several headers at once: give each a match of its own, of which one is enough"
    found = [match.headers[0] for match in matches]
    cookies = {_name(header) for header in found if _is_name(header)}
    headers = {header.name.lower() for header in found if not _is_name(header)}
    if len(cookies) > 1:
        return f"know one cookie, not {' and '.join(sorted(cookies))}"
    if len(headers) > 1:
        return f"know one header, not {' and '.join(sorted(headers))}"
    if any("=" in cookie or ";" in cookie for cookie in cookies):
        return f"go by a cookie whose value is {ALWAYS}: state its name alone, or a regex for the whole header"
    return ""


def _is_name(header: Header) -> bool:
    return header.is_cookie and header.how is How.EXACT


def _name(cookie: Header) -> str:
    return cookie.value.removesuffix(f"={ALWAYS}")
