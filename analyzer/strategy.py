"""How a canary gets its traffic: the positions that an analysis goes through, and what the routes do at each.

As with Flagger the fields decide which it is: `iterations` with `match` are an A/B test, `iterations` alone Blue/Green,
and without them the weight rises step by step (DeploymentStrategy). What Flagger does not have: `match` without
`iterations`, where those requests go to the canary beside its rising share of all others.
"""

from dataclasses import dataclass

from analyzer.traffic import Affinity, Match, Traffic

ALL = 100  # percent


@dataclass(frozen=True, slots=True)
class Position:
    """How far an analysis is: the percentage that is shifted, and the checks that are passed without shifting more."""

    weight: int = 0
    iteration: int = 0

    @property
    def begun(self) -> bool:
        """Whether anything of the analysis is behind, or under way."""
        return self != START


START = Position()


@dataclass(frozen=True, slots=True)
class Strategy:
    """`steps` are weights in percent, rising. `mirror` is the percentage that is copied: for one check before the first
    weight, or during the iterations of Blue/Green. `promotion_step` is how much goes back to the primary at a time once
    it is promoted, 0 for all at once. With `by_replicas` no route is split: as many pods as the weight asks for join
    the Services of the primary.
    """

    steps: tuple[int, ...] = ()
    iterations: int = 0
    matches: tuple[Match, ...] = ()
    mirror: int = 0
    promotion_step: int = 0
    affinity: Affinity | None = None
    by_replicas: bool = False

    @property
    def needs_routes(self) -> bool:
        """Whether there is nothing to analyse where no traffic can be split: Blue/Green checks the canary by itself."""
        return not (self.is_blue_green or self.by_replicas)

    @property
    def is_blue_green(self) -> bool:
        """Whether the canary is checked without traffic, and then gets all of it at once."""
        return bool(self.iterations and not self.matches)

    @property
    def is_ab_test(self) -> bool:
        """Whether the requests themselves say which side they are for."""
        return bool(self.iterations and self.matches)

    @property
    def length(self) -> int:
        """How many checks an analysis without trouble has."""
        return self.iterations or len(self.steps) + bool(self.mirror)

    def after(self, at: Position, *, routed: bool = True) -> Position:
        """The position that follows; the last one follows itself. `routed` is whether there are routes to split."""
        if at.iteration < self.iterations:
            return Position(ALL if self.matches else 0, at.iteration + 1)
        if self.iterations:
            return Position(ALL if self.matches or routed else 0, at.iteration)
        if self.mirror and at == START:
            return Position(0, 1)
        return Position(self._next_weight(at.weight), at.iteration)

    def is_last(self, at: Position, *, routed: bool = True) -> bool:
        """Whether the revision is proven once the check at this position is passed."""
        return at.begun and self.after(at, routed=routed) == at

    def shifts(self, at: Position, *, routed: bool = True) -> bool:
        """Whether more requests of users go to the canary at the next position."""
        return self.after(at, routed=routed).weight > at.weight

    def before(self, weight: int) -> int:
        """The weight that follows on the way back to the primary, once that is promoted."""
        return max(0, weight - self.promotion_step) if self.promotion_step and not self.iterations else 0

    def load(self, at: Position) -> int:
        """What part of the primary's load the canary has to be able to carry, in percent of its replicas.

        Nobody knows how many requests an A/B test matches, and what Blue/Green proves is proven for all of the load.
        """
        if self.iterations:
            return ALL
        return max(at.weight, self.mirror if at.iteration and not at.weight else 0)

    def traffic(self, at: Position) -> Traffic:
        """What the routes do at a position."""
        if not at.begun or self.by_replicas:
            return Traffic()
        if self.is_ab_test:
            return Traffic(0, self.matches if at.weight else ())
        if not at.weight:
            return Traffic(mirror=self.mirror)
        return Traffic(at.weight, self.matches, affinity=self.affinity)

    def _next_weight(self, weight: int) -> int:
        return next((step for step in self.steps if step > weight), self.steps[-1])
