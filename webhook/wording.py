"""The sentences that people read: what happened, and what to type next, in at most 120 characters.

kubectl prints them after `Warning:`. Longer ones may be cut by the API server, and by the reader.
"""

from dataclasses import dataclass

from webhook.revision import short

LONGEST = 120


@dataclass(frozen=True, slots=True)
class Wording:
    """The sentences about one Deployment."""

    namespace: str
    name: str

    def diverted(self, revision: str, superseded: str) -> str:
        """A new revision waits, in the place of `superseded`, which is empty where nothing waited."""
        news = f"replaces {short(superseded)} as the canary" if superseded else "runs as a canary first"
        return self._say(f"revision {short(revision)} {news}", "watch", self._watch())

    def unchanged(self, revision: str) -> str:
        """The same template again."""
        what = f"revision {short(revision)} is on its way as a canary already"
        return self._say(what, "watch", self._watch())

    def rejected(self, revision: str) -> str:
        """The same template again, which failed its analysis."""
        what = f"revision {short(revision)} was rejected and stays out"
        return self._say(what, "run it once more", f"kubectl detour retry {self.name} -n {self.namespace}")

    def cancelled(self, revision: str) -> str:
        """The primary's own template is wanted again."""
        what = f"canary {short(revision)} cancelled, the primary stays"
        return self._say(what, "see", f"kubectl -n {self.namespace} get canary")

    def undone(self, revision: str) -> str:
        """`kubectl rollout undo` during a canary."""
        what = f"canary {short(revision)} cancelled, the primary stays"
        return self._say(what, "to go further back", self._kubectl("rollout undo", kind="deploy/"))

    def restarted(self) -> str:
        """`kubectl rollout restart`."""
        return self._say("restarted at once, it is proven", "watch", self._rollout())

    def direct(self, reason: str) -> str:
        """Changed without a canary, since there is nothing to protect."""
        return self._say(f"changed at once, {reason}", "watch", self._rollout())

    def unfit(self, reason: str) -> str:
        """Changed without a canary, since it cannot run twice or is not the user's own."""
        remedy = self._kubectl("label", "detour.dev/policy=default", kind="deploy/")
        return self._say(f"no canary, {reason}", "insist", remedy)

    def at_once(self, revision: str, reason: str) -> str:
        """What would be changed directly is left to the analyzer, which is the only one that may."""
        return self._say(f"revision {short(revision)} is promoted at once, {reason}", "watch", self._watch())

    def proven(self, revision: str) -> str:
        """Back to a revision that passed before."""
        return self._say(f"back to proven revision {short(revision)} at once", "watch", self._rollout())

    def opted_out(self, revision: str) -> str:
        """The policy `none`; `revision` was waiting."""
        return self._say(f"policy is none, canary {short(revision)} cancelled", "watch", self._rollout())

    def guarded(self) -> str:
        """The reserved policy label was taken away and has been put back."""
        remedy = self._kubectl("label --overwrite", "detour.dev/policy=none", kind="deploy/")
        return self._say("its Canary keeps the label", "opt out", remedy)

    def _watch(self) -> str:
        """Without a name: a Canary need not be called like its Deployment, and only the analyzer knows it."""
        return f"kubectl -n {self.namespace} get canary -w"

    def _rollout(self) -> str:
        return self._kubectl("rollout status", kind="deploy/")

    def _kubectl(self, verb: str, rest: str = "", kind: str = "") -> str:
        return f"kubectl -n {self.namespace} {verb} {kind}{self.name} {rest}".rstrip()

    def _say(self, what: str, cue: str, command: str) -> str:
        """As much as there is room for: a command is given whole, since half of one may do something else."""
        for sentence in (f"{self.name}: {what}; {cue}: {command}", f"{what}; {cue}: {command}", f"{self.name}: {what}"):
            if len(sentence) <= LONGEST:
                return sentence
        return what
