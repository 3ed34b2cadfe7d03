"""Load and gates for analyses: speaks Flagger's load tester's protocol. Never part of the production pod."""
