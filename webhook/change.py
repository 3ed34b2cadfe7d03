"""One update of a managed Deployment, with all that the rules ask of it worked out."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from webhook import keys as ours
from webhook import stash
from webhook.books import entries, owned
from webhook.claims import claimed
from webhook.decision import Settings
from webhook.fold import fold
from webhook.keys import Keys
from webhook.objects import annotations
from webhook.request import Request
from webhook.revision import Template, digest, short, without_restart
from webhook.stash import Stash, StashError
from webhook.wording import Wording

MARKERS = frozenset({"kubectl-annotate", "kubectl-label"})
"""Field managers of commands that never write a template."""


@dataclass(frozen=True)
class Change:
    """An update: the live template, the one requested, the one that waits, and the one that is meant.

    `waiting` is what is diverted already, None where nothing is. `meant` is the fold: the template that the writer
    means, whatever stands in the request. `asked`: the writer wrote or claimed something of the template.
    """

    request: Request
    settings: Settings
    now: datetime
    keys: Keys
    primary: Template
    wanted: Template
    waiting: Stash | None
    meant: Template
    asked: bool

    @cached_property
    def revision(self) -> str:
        """The whole digest of what is meant."""
        return digest(self.meant)

    @property
    def rejected(self) -> bool:
        """Whether what waits failed its analysis; only the stored label says so."""
        return stash.state(self.request.old) == stash.STATE_REJECTED

    @property
    def proven(self) -> bool:
        """Whether what is meant passed here, or is what a promotion under way replaces: it served until now."""
        before = annotations(self.request.old).get(stash.PREVIOUS)
        try:
            replaced = before is not None and stash.decode(before).digest == self.revision
        except StashError:
            replaced = False
        return replaced or self.revision in stash.history(self.request.old)

    @property
    def words(self) -> Wording:
        """The sentences about this Deployment."""
        return Wording(self.request.namespace, self.request.name)

    @property
    def change_cause(self) -> str | None:
        """The change-cause that belongs to what is meant: the one that came with the request, or with the stash."""
        new, old = (annotations(side).get(stash.CHANGE_CAUSE) for side in (self.request.object, self.request.old))
        if new != old and new is not None:
            return new
        return self.waiting.change_cause if self.waiting else None


def understood(request: Request, settings: Settings, now: datetime) -> Change:
    """Make the request again on what waits, and say what it means."""
    keys = ours.carried(request, settings.analyzer)
    primary, wanted = request.primary, request.wanted
    try:
        waiting = stash.diverted(request.old)
    except StashError:  # somebody wrote into it: nothing can be made of it, and nothing must hang on it
        waiting, keys = None, ours.dropping(keys, primary)
    if waiting is None:
        return Change(request, settings, now, keys, primary, wanted, None, wanted, wanted != primary)
    keys[stash.REVISION] = short(waiting.digest)  # or the analyzer would not see it, whoever took the label away
    promoting = annotations(request.object).get(stash.PREVIOUS) != annotations(request.old).get(stash.PREVIOUS)
    marks = request.manager in MARKERS and not any(
        owned(entry) for owner, entry in entries(request.object).items() if owner[0] == request.manager
    )
    if (request.user == settings.analyzer and not promoting) or marks:
        meant = fold(primary, wanted, waiting.template, None)  # another webhook's change, where it is any
        return Change(request, settings, now, keys, primary, wanted, waiting, meant, wanted != primary)
    claim = claimed(request, waiting.template)
    # Who keeps books has a rejected template in them; who does not has only ever seen the primary.
    blind = claim is None and stash.state(request.old) == stash.STATE_REJECTED
    alone = blind and without_restart(wanted) != without_restart(primary)
    meant = wanted if alone else fold(primary, waiting.template, wanted, claim)
    asked = claim is not None or wanted != primary
    return Change(request, settings, now, keys, primary, wanted, waiting, meant, asked)
