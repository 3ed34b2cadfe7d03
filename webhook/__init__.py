"""The admission webhook: it keeps the primary's pod template and records the one that was asked for.

It answers from the review alone. It holds no state, calls nobody and has no permissions, so it can neither be
stale nor be abused: what can reach it learns nothing and can change nothing.
"""
