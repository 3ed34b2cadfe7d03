"""The row about certificates: nobody notices that they are renewed, nor that there is another CA."""

from tests.cluster.rotations import CA, SERVING, rotate, under_way
from tests.faults.row import Leader, row
from tests.faults.scene import Scene

ROTATIONS, SHORT = 50, 4


@row(Leader.NOBODY)
def certificates_renewed_50_times(scene: Scene) -> None:
    """The serving certificate and the CA are renewed by turns, 50 times, while verifying clients send 100 reviews a
    second to the Service over TLS and 5 updates a second go through the API server: none of them fails, and a canary
    that is under way meanwhile is promoted."""
    with under_way() as account:
        scene.update()
        rotate(account, [SERVING, CA] * ((SHORT if scene.short else ROTATIONS) // 2))
    scene.note(account.told)
    assert not account.failures, f"{len(account.failures)} failed: {account.failures[:3]}"
    scene.ends("Succeeded", live="6.0.1")
