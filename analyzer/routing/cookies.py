"""The cookies by which a client stays on the side that it met first, in the filters of an HTTPRoute's references.

The value names the revision, so that a cookie of a canary before this one matches nothing and needs no taking back.
(Canary.spec.analysis.sessionAffinity; Gateway API v1, HTTPHeaderFilter.)
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analyzer.traffic import Affinity, Header, How

Object = Mapping[str, Any]

MODIFIER, SET_COOKIE, COOKIE = "ResponseHeaderModifier", "Set-Cookie", "cookie"
OURS = "detour-"  # how the values of our cookies begin


@dataclass(frozen=True, slots=True)
class Cookies:
    """The name and value of each side's cookie, and what else is said where it is set; "" for none."""

    canary: str = ""
    primary: str = ""
    terms: str = ""


NO_COOKIES = Cookies()


def cookies_of(affinity: Affinity | None, weight: int, revision: str) -> Cookies:
    """Those of a canary's revision at a weight. A primary's lasts for that weight: the next one takes others over."""
    if affinity is None or not weight:
        return NO_COOKIES
    primary = f"{affinity.primary_cookie}={OURS}{revision}-{weight}" if affinity.primary_cookie else ""
    return Cookies(f"{affinity.cookie}={OURS}{revision}", primary, _terms(affinity))


def carrying(cookie: str) -> Header:
    """What a request with this cookie among its cookies has."""
    return Header(COOKIE, How.REGEX, rf"(.*;\s*)?{re.escape(cookie)}(;.*)?")


def baked(ref: Object, cookie: str, terms: str) -> dict[str, Any]:
    """A reference whose answers set a cookie besides; none if it is ""."""
    if not cookie:
        return dict(ref)
    header = {"name": SET_COOKIE, "value": cookie + terms}
    filters = [dict(each) for each in ref.get("filters") or ()]
    modifier = next((each for each in filters if each["type"] == MODIFIER), None)
    if modifier is None:
        modifier = {"type": MODIFIER}
        filters.append(modifier)
    said = modifier.get("responseHeaderModifier") or {}
    modifier["responseHeaderModifier"] = {**said, "add": [*(said.get("add") or ()), header]}
    return {**ref, "filters": filters}


def unbaked(ref: Object) -> dict[str, Any]:
    """Without a cookie of ours, and without the filter that was only for it."""
    filters = []
    for each in ref.get("filters") or ():
        said = each.get("responseHeaderModifier") or {}
        added = [header for header in said.get("add") or () if not _is_ours(header)]
        if len(added) == len(said.get("add") or ()):
            filters.append(each)
        elif rest := with_list(said, "add", added):
            filters.append({**each, "responseHeaderModifier": rest})
    return with_list(ref, "filters", filters) if ref.get("filters") else dict(ref)


def sets_cookies(ref: Object) -> bool:
    """Whether the user's own filters of a reference set one: a header can be added once."""
    for each in ref.get("filters") or ():
        said = each.get("responseHeaderModifier") or {}
        if any(str(header.get("name", "")).lower() == SET_COOKIE.lower() for header in said.get("add") or ()):
            return True
    return False


def with_list(thing: Object, key: str, value: list[Any]) -> dict[str, Any]:
    """The same with another list, or without it where that is empty."""
    if value:
        return {**thing, key: value}
    return {each: found for each, found in thing.items() if each != key}


def _is_ours(header: Object) -> bool:
    value = str(header.get("value", "")).partition(";")[0].partition("=")[2]
    return str(header.get("name", "")).lower() == SET_COOKIE.lower() and value.startswith(OURS)


def _terms(affinity: Affinity) -> str:
    """The attributes of a cookie (RFC 6265, 4.1)."""
    said = [f"Max-Age={affinity.max_age}"]
    said += [f"{name}={value}" for name, value in (("Domain", affinity.domain), ("Path", affinity.path)) if value]
    flags = (("HttpOnly", affinity.http_only), ("Secure", affinity.secure), ("Partitioned", affinity.partitioned))
    said += [name for name, value in flags if value]
    if affinity.same_site:
        said.append(f"SameSite={affinity.same_site}")
    return "".join(f"; {each}" for each in said)
