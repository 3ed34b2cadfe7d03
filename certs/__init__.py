"""The webhook's certificates: an own CA, short-lived serving certificates, and rotation that nobody notices.

The API server calls a webhook only over TLS that its `caBundle` vouches for, so an expired certificate stops every
update of a managed Deployment. Nothing here talks to Kubernetes: `rotation.Rotation` is handed a `rotation.Store`.
"""
