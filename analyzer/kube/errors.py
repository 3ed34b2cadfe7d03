"""What can go wrong between us and the API server, told apart only where somebody acts on the difference."""

_FENCE = "'detour-leader'"


class ApiError(Exception):
    """The API server answered a request with an error. `message` is its own sentence, fit to be shown to the user."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message or reason)
        self.status = status
        self.reason = reason
        self.message = message or reason


class NotFound(ApiError):
    """404: the object is not there. Often normal."""


class Conflict(ApiError):
    """409, or a JSON Patch whose test failed: the object is not what it was when we looked. Look again."""


class Expired(ApiError):
    """410: the resource version of a watch is too old. List again."""


class Refused(ApiError):
    """400, 403 or 422: the request will not be accepted by asking again (validation, a policy, a permission)."""


class Fenced(ApiError):
    """403: the API server says that another replica leads, or has not heard yet that we do.

    From the policy `detour-leader` (manifests/policies/leader.yaml), whose parameter is the Leader.
    """


class NoCluster(Exception):
    """There is no way to an API server: no usable kubeconfig, or we are not in a pod."""


class Unreachable(Exception):
    """No answer: the connection failed, timed out or broke. Whether the request took effect is unknown."""


def from_status(status: int, reason: str, message: str) -> ApiError:
    """The error for an answer of the API server.

    A JSON Patch whose `test` operation fails is a 422 with the reason `Invalid`; its message tells it from a
    validation error (k8s.io/apiserver, `handlers/patch.go`).
    """
    if status == 404:
        return NotFound(status, reason, message)
    if status == 409 or (status == 422 and "testing value" in message) or "server rejected our request" in message:
        return Conflict(status, reason, message)
    if status == 403 and _FENCE in message:
        return Fenced(status, reason, message)
    if status == 410:
        return Expired(status, reason, message)
    if status in (400, 403, 422):
        return Refused(status, reason, message)
    return ApiError(status, reason, message)
