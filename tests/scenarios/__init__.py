"""Flagger's end-to-end scenarios, and those of Argo Rollouts and Kruise that apply, with users who count."""
