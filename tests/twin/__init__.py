"""The twin law on the real API server, by the hundred commands: `python -m tests.twin`."""
