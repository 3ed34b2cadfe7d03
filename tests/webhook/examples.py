"""How many examples a property is tried with: few enough to be quick, or as many as EXAMPLES says.

`HYPOTHESIS_PROFILE=wild EXAMPLES=5000 pytest tests/webhook/test_sequences.py` looks for new ones.
"""

import os


def examples(usual: int) -> int:
    """So many, unless EXAMPLES says otherwise."""
    return int(os.environ.get("EXAMPLES", "") or usual)
