"""All checks, in the order in which a person would ask."""

from collections.abc import Iterable

from detour.doctor import applications, flagger, gateways, health, metrics, neighbours, platform, routers
from detour.doctor.finding import Finding, Level
from detour.doctor.snapshot import Snapshot

TOPICS = (platform, health, flagger, routers, gateways, metrics, neighbours, applications)


def diagnose(seen: Snapshot) -> tuple[Finding, ...]:
    """Everything that there is to say about a cluster."""
    return tuple(finding for topic in TOPICS for finding in topic.check(seen))


def failed(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """What keeps Detour from its work."""
    return tuple(each for each in findings if each.level is Level.FAIL)
