"""Flagger's own binary and Flagger's own definitions beside Detour, in one namespace: which Canary is whose."""
