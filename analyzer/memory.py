"""What the analyzer remembers in a Canary's status, also where the definition of Canaries is Flagger's own.

The API server drops what a definition does not know, and Flagger's does not know most of our fields. It does know a map
of strings, `status.trackedConfigs`: where an answer shows that fields were dropped, they are kept there, in one piece.
So Detour works beside Flagger without its definitions being touched, and goes on when somebody puts them back.

The same goes for what we add to the spec: an annotation carries it.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from analyzer.fields import SpecError

Object = Mapping[str, Any]

KEY = "detour.dev/memory"
SPEC = "detour.dev/spec"  # annotation of a Canary: fields of the spec that Flagger's definition does not know, as JSON
ADDED = ("freezes", "withoutRoutes", "analysis")
IN_ANALYSIS = {"metrics": ("noData", "minRequests"), "webhooks": ("deadline",)}
"""What is ours in the entries of spec.analysis; of the analysis itself it is what a metric has."""
_MAP = "trackedConfigs"
_FLAGGERS = {
    "phase",
    "canaryWeight",
    "failedChecks",
    "iterations",
    "lastAppliedSpec",
    "lastPromotedSpec",
    "lastTransitionTime",
    "conditions",
}


def like(canary: Object, status: dict[str, Any]) -> dict[str, Any]:
    """A new status in the form in which that of a Canary is stored now."""
    return packed(status) if KEY in ((canary.get("status") or {}).get(_MAP) or {}) else status


def was_dropped(sent: Object, stored: Object) -> bool:
    """Whether fields of a status are missing in the API server's answer to it."""
    return any(key not in stored for key in sent.keys() - _FLAGGERS)


def packed(status: Object) -> dict[str, Any]:
    """The status as Flagger's definition lets it through."""
    ours = {key: value for key, value in status.items() if key not in _FLAGGERS}
    theirs = {key: value for key, value in status.items() if key in _FLAGGERS}
    return {**theirs, _MAP: {KEY: json.dumps(ours, sort_keys=True, separators=(",", ":"))}}


def unpacked(status: Object) -> Object:
    """The status as it was meant, packed or not. What somebody else has made of it counts for nothing."""
    try:
        ours = json.loads((status.get(_MAP) or {})[KEY])
    except (KeyError, ValueError):
        return status
    return {**status, **ours} if isinstance(ours, dict) else status


def carried(spec: Object) -> dict[str, str]:
    """The annotation for what a spec has of ours; nothing if it has none."""
    ours = {key: spec[key] for key in ADDED if key in spec}
    if ours.get("analysis") == _flaggers(ours.get("analysis")):
        ours.pop("analysis", None)
    return {SPEC: json.dumps(ours, sort_keys=True)} if ours else {}


def whole_spec(canary: Object) -> Object:
    """The spec of a Canary with what its annotation carries; what the spec itself states wins. Raises SpecError.

    Of an analysis nothing is carried but what is ours: one that has been edited since counts as it stands.
    """
    spec: Object = canary.get("spec") or {}
    text = ((canary.get("metadata") or {}).get("annotations") or {}).get(SPEC)
    if text is None:
        return spec
    try:
        ours = json.loads(text)
    except ValueError:
        ours = None
    if not isinstance(ours, dict) or not ours.keys() <= set(ADDED):
        raise SpecError(f"metadata.annotations[{SPEC}]", "it cannot be read", f"write JSON with {' or '.join(ADDED)}")
    same = "analysis" in ours and _flaggers(ours["analysis"]) == spec.get("analysis")
    return {**ours, **spec, **({"analysis": ours["analysis"]} if same else {})}


def _flaggers(analysis: Any) -> Any:
    """An analysis as Flagger's definition lets it through."""
    if not isinstance(analysis, dict):
        return analysis
    parts = {name: analysis[name] for name in IN_ANALYSIS if isinstance(analysis.get(name), list)}
    bare = {name: [_without(each, IN_ANALYSIS[name]) for each in part] for name, part in parts.items()}
    return {**_without(analysis, IN_ANALYSIS["metrics"]), **bare}


def _without(entry: Any, names: Iterable[str]) -> Any:
    return {key: entry[key] for key in entry if key not in names} if isinstance(entry, dict) else entry
