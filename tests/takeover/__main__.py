"""`python -m tests.takeover`: take Canaries over from a real Flagger, under traffic; writes docs/evidence/flagger.md.

Flagger is built and started for this, and looks at one namespace. The exit status is 1 unless everything holds.
"""

import signal
import sys
import time
from collections.abc import Sequence

from tests.bench import machine
from tests.bench.figure import say
from tests.bench.flagger import PART
from tests.cluster import namespaces
from tests.cluster.kubectl import ROOT
from tests.takeover.scene import RATE, Finding, Scene

EVIDENCE = ROOT / "docs/evidence/flagger.md"


def main() -> int:
    """Play the scene. Returns the exit status."""
    began, findings = time.monotonic(), []
    with namespaces.namespace("takeover") as namespace:
        for finding in Scene(namespace).findings():
            say(f"{finding.name}: {finding.text}\n  {'; '.join(finding.wrong) or 'as it should be'}")
            findings.append(finding)
    held = all(finding.holds for finding in findings)
    if held:
        EVIDENCE.write_text(evidence(findings, machine.circumstances()))
        say(f"written to {EVIDENCE.relative_to(ROOT)}")
    say(f"{'everything holds' if held else 'NOT EVERYTHING HOLDS'}, in {time.monotonic() - began:.0f} s")
    return 0 if held else 1


def evidence(findings: Sequence[Finding], circumstances: Sequence[str]) -> str:
    """The evidence file."""
    lines = [
        "# Coming from Flagger",
        "",
        f"Written by `make flagger`: Flagger {PART.version}, built from its Go module, and `detour take-over`, each",
        f"application with {RATE:.0f} requests a second, from before until its next update was promoted by Detour.",
        "",
        *(f"* {line}" for line in circumstances),
        "",
        "| what | what users got | |",
        "|---|---|---|",
        *(f"| {each.name} | {each.text} | {'; '.join(each.wrong) or 'holds'} |" for each in findings),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    # As an exception, so that what is in the cluster for it is taken away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
