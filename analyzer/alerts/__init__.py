"""Alerts: chats are told how rollouts go. One module a service says how it wants to be told; `service` lists them."""
