"""What Detour promises at every moment, as a page of promises: each is looked at after every single write.

A promise is a function of a moment: its name is the promise's, its docstring the sentence, and it answers whether it
is kept. What cannot be broken within the model (two objects of one name, say) is not on the page.
"""

from tests.analyzer.invariants import canary, memory, progress, promotion
from tests.analyzer.invariants.moment import PROMISES, Moment, Serving, Unserve, Write, breaches_of
from tests.analyzer.invariants.progress import waits_for_nothing

__all__ = [
    "PROMISES",
    "Moment",
    "Serving",
    "Unserve",
    "Write",
    "breaches_of",
    "canary",
    "memory",
    "progress",
    "promotion",
    "waits_for_nothing",
]
