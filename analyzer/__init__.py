"""The analyzer: runs what the webhook recorded as a canary, judges it, and has it promoted or thrown away."""
