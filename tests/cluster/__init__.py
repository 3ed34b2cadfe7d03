"""Tests on the sandbox's real Kubernetes. Each has a namespace of its own, so that they run side by side."""
