"""What the user can put right: printed by the command line as one sentence, without a traceback."""

from __future__ import annotations


class UserError(Exception):
    """Says what is wrong and what to do next, in one sentence."""
