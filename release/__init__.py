"""A release by one command, `make release VERSION=x.y.z`: what users get, from a tree that says its version."""
