"""`make bench`: what Detour costs, each figure beside its reference of the same run.

One module a topic, each with one `figures()`, and each can be run alone: `python -m tests.bench patches`.
"""
