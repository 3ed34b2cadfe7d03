"""The fault table: what becomes of a canary, and of its users' requests, when something breaks in the middle of it."""
