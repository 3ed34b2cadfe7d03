"""`make bench`: what Detour costs, each figure beside its reference of the same run. One module a topic, one `figures()` each."""
