"""Patches that are all admitted before one of them takes effect: each may take away the permission for the others.

A request that says `Expect: 100-continue` is asked for its body only when the API server has let it in: it has been
authenticated and authorised by then. So the heads are sent first, and the bodies when all have been let in.
https://www.rfc-editor.org/rfc/rfc9110#section-10.1.1
"""

import json
import ssl
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from analyzer.kube.errors import Unreachable, from_status

Patch = tuple[str, Mapping[str, Any]]
"""The path of an object, and a strategic merge patch of it."""

PATIENCE = 10.0  # seconds for each step of each request
CONTINUE = b" 100 "
CONTENT_TYPE = "application/strategic-merge-patch+json"


def patch_together(configuration: Any, patches: Sequence[Patch]) -> None:
    """`configuration` is that of a `kubernetes.client.ApiClient`. Raises ApiError, Unreachable.

    If one is not let in, none is carried out. One whose object is gone is fine.
    """
    try:
        with ExitStack() as stack:
            sent = [(stack.enter_context(closing(_head(configuration, *patch))), patch[1]) for patch in patches]
            admitted = [(connection, body) for connection, body in sent if _is_let_in(connection)]
            for connection, body in admitted:
                connection.send(_encoded(body))
            for connection, _ in admitted:
                _answer(connection)
    except (OSError, HTTPException) as error:
        raise Unreachable(f"patches together: {error}") from error


def _head(configuration: Any, path: str, body: Mapping[str, Any]) -> HTTPConnection:
    server = urlsplit(configuration.host)
    connection: HTTPConnection
    if server.scheme == "https":
        connection = HTTPSConnection(server.netloc, timeout=PATIENCE, context=_trust(configuration))
    else:
        connection = HTTPConnection(server.netloc, timeout=PATIENCE)
    connection.putrequest("PATCH", server.path.rstrip("/") + path)
    headers = {"Content-Type": CONTENT_TYPE, "Content-Length": str(len(_encoded(body))), "Expect": "100-continue"}
    if token := configuration.auth_settings().get("BearerToken"):
        headers["Authorization"] = token["value"]
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    return connection


def _trust(configuration: Any) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=configuration.ssl_ca_cert)
    if configuration.cert_file:
        context.load_cert_chain(configuration.cert_file, configuration.key_file)
    if not configuration.verify_ssl:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _is_let_in(connection: HTTPConnection) -> bool:
    """False where the object is gone. Raises ApiError where the request is refused."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.sock.recv(1)
        if not byte:
            raise ConnectionResetError("the API server has hung up")
        head += byte
    first = head.partition(b"\r\n")[0]
    if CONTINUE in first:
        return True
    status = int(first.split()[1])
    if status == 404:
        return False
    raise from_status(status, "", f"not let in: {first.decode('latin-1')}")


def _answer(connection: HTTPConnection) -> None:
    response = connection.getresponse()
    said = response.read()
    if response.status >= 400 and response.status != 404:
        raise from_status(response.status, response.reason, json.loads(said).get("message", ""))


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()
