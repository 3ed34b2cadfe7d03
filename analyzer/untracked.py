"""Secrets that are no part of a revision for want of a right: said once on the Deployment, with who can change that."""

from collections.abc import Collection

from analyzer.actions import Emit
from analyzer.agenda import Key

MOST_NAMED = 3


def untracked(key: Key, names: Collection[str]) -> Emit:
    """For the Secrets of a Deployment in a Namespace that `GrantedWatch.follow` says no to.

    No warning: every Namespace begins like this, and what happens there is what happens without Detour.
    """
    named = sorted(names)[:MOST_NAMED]
    left = len(names) - len(named)
    which = ", ".join(named) + (f" ({left} more)" if left else "")
    return Emit(
        f"changes of Secret {which} reach {key[1]}.{key[0]} without an analysis: for one, bind the ClusterRole "
        f"detour-secret-holder to the analyzer in namespace {key[0]}",
        milestone=True,
    )
