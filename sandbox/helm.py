"""Helm in both versions that people have, for tests and releases; nothing of the sandbox itself needs it."""

from sandbox.parts import Part

VERSIONS = {3: "3.22.0", 4: "4.3.1"}


def _part(major: int, minutes: float, gigabytes: float) -> Part:
    package = f"helm.sh/helm/v{major}"
    return Part(
        name=f"helm{major}",
        version=VERSIONS[major],
        programs={f"helm{major}": f"{package}/cmd/helm"},
        variables={f"{package}/internal/version.version": f"v{VERSIONS[major]}"},
        minutes=minutes,
        gigabytes=gigabytes,
    )


# Both have the same modules in the same versions, so that the second finds most of its packages compiled.
PARTS = (_part(3, minutes=1.2, gigabytes=2), _part(4, minutes=0.5, gigabytes=0.5))
