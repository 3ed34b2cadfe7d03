"""Rows about several analyzers of which one leads: two at once, one that goes, one that was paused and wakes up."""

import time
from collections.abc import Callable

from analyzer.kube import lease
from tests.cluster.kubectl import eventually
from tests.faults.accepted import writes
from tests.faults.analyzer import Analyzer
from tests.faults.row import Leader, row
from tests.faults.scene import Scene

BY_ANYBODY = {"interval": "3s", "stepWeight": 10, "maxWeight": 60, "threshold": 1, "metrics": []}
"""An analysis that whoever leads can carry on, the installed analyzer too: it asks nobody."""
AFTER_A_KILL, AFTER_A_STOP = 15.0, 2.0  # seconds
NOTICED = "the lease is lost"
"""What a leader logs that is none any more; it begins anew, and stands by."""


@row(Leader.OWN, analysis=BY_ANYBODY)
def two_at_once(scene: Scene) -> None:
    """The lease goes from one analyzer to another and back, again and again: what is written without it is refused, and
    the canary is promoted."""
    hosts, began = scene.analyzers, time.time()
    pair = {name: hosts.lead(name) for name in ("b", "a")}
    scene.update()
    for name in ("b", "a") * (1 if scene.short else 4):
        with scene.fault():
            hosts.hand_to(name)
        assert pair[name].running, pair[name].said[-500:]
    scene.ends("Succeeded", live="6.0.1")
    for name in pair:
        scene.note(f"{name}: {writes(hosts.pod(name), began).text}")


@row(Leader.OWN, analysis=BY_ANYBODY)
def a_leader_that_goes(scene: Scene) -> None:
    """The leader is killed and started again: it goes on at once. Killed for good: another leads within 15 s. Stopped
    in the ordinary way: within 2 s. The canary is promoted."""
    hosts = scene.analyzers
    leader = hosts.lead("a")
    scene.update()
    scene.until_weight(10)
    before = hosts.transitions
    with scene.fault():
        leader.kill()
        began = time.monotonic()
        leader = hosts.start("a")
    leader.until_at_work()
    took = time.monotonic() - began
    scene.note(f"killed and started again: at work {took:.1f} s after its start, the lease is its own still")
    assert hosts.transitions == before, "another has led meanwhile"
    assert scene.short or took < lease.SECONDS, f"it took {took:.1f} s, as if it had waited for the lease"
    _is_replaced(scene, leader, "kill -9", Analyzer.kill, AFTER_A_KILL)
    _is_replaced(scene, hosts.lead("c"), "an ordinary stop", Analyzer.stop, AFTER_A_STOP)
    scene.ends("Succeeded", live="6.0.1")


def _is_replaced(scene: Scene, leader: Analyzer, how: str, end: Callable[[Analyzer], None], within: float) -> None:
    """Another stands by as this one ends."""
    standby = scene.analyzers.start(f"after-{leader.pod.rpartition('-')[2]}")
    eventually(lambda: standby.ready, f"{standby.pod} stands by", 60)
    with scene.fault():
        ended = time.time()
        end(leader)
    eventually(lambda: scene.analyzers.holder not in ("", leader.pod), "another leads")
    took = scene.analyzers.acquired - ended
    scene.note(f"{how}: another leads {took:.1f} s later, and the run goes on {scene.recovery[-1]:.1f} s later")
    assert scene.short or took <= within, f"after {how} it took {took:.1f} s, more than {within:.0f}"


@row(Leader.OWN, analysis=BY_ANYBODY)
def paused_right_before_a_write(scene: Scene) -> None:
    """SIGSTOP right before a write, another takes the lease over and goes on, SIGCONT: nothing that the woken process
    writes is accepted, it leads no more, and the canary is promoted."""
    hosts = scene.analyzers
    hosts.hand_to("a")
    sleeper = hosts.start("a", "--mishap=stop before 4")
    successor = hosts.start("b", *(() if scene.short else ("--mishap=stop before 9",)))
    eventually(lambda: successor.ready, "its successor stands by", 60, lambda: successor.said)
    scene.update()
    eventually(lambda: sleeper.paused, "it is paused in the middle of the run", 60, lambda: sleeper.said)
    slept = time.monotonic()
    with scene.fault():
        hosts.hand_to("b")
    fenced = _wakes(scene, sleeper)
    believes = time.monotonic() - slept < lease.GIVEN_UP_AFTER - lease.RENEW_EVERY
    assert fenced or not believes, "it wrote nothing after it woke up, though it must have thought that it leads"
    if not scene.short:
        eventually(lambda: successor.paused, "its successor is paused, too", 60, lambda: successor.said)
        with scene.fault():
            eventually(lambda: hosts.holder != successor.pod, "its lease has expired, and another has it", 30)
        _wakes(scene, successor)
    scene.ends("Succeeded", live="6.0.1")


def _wakes(scene: Scene, sleeper: Analyzer) -> int:
    """Nothing that it writes from now on is accepted, and it notices that it leads no more.

    How many of its writes were refused.
    """
    woken = time.time()
    sleeper.resume()
    eventually(lambda: NOTICED in sleeper.said, f"{sleeper.pod} notices", 30, lambda: sleeper.said[-500:])
    found = writes(sleeper.pod, woken)
    scene.note(f"the woken process noticed after {time.time() - woken:.1f} s that it leads no more: {found.text}")
    assert not found.accepted, f"accepted of the woken process: {found.text}"
    return found.fenced
