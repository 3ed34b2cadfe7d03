"""Who changes the keys of his connection, and changes them again, and never says anything else (RFC 8446, 4.6.3).

Python's `ssl` cannot send such a message: OpenSSL, which it is linked with, is asked directly.
"""

import _ssl
import ctypes
import socket
import time

from tests.webhook.attacks.target import LONGEST

CHUNK = 1 << 16
NOT_REQUESTED = 0  # SSL_KEY_UPDATE_NOT_REQUESTED: no answer is wanted


def _library() -> ctypes.CDLL:
    found = ctypes.CDLL(_ssl.__file__)
    for name in ("TLS_client_method", "SSL_CTX_new", "SSL_new", "BIO_s_mem", "BIO_new"):
        getattr(found, name).restype = ctypes.c_void_p
    return found


def key_updates(host: str, port: int, work: float, seconds: float) -> bool:
    """As many as `work` seconds of a processor make, sent at once; whether the connection is reset before all are read.

    Raises TimeoutError where that takes more than `seconds`.
    """
    openssl = _library()
    pointer = ctypes.c_void_p
    with socket.create_connection((host, port), timeout=LONGEST) as peer:
        peer.settimeout(None)
        context = pointer(openssl.SSL_CTX_new(pointer(openssl.TLS_client_method())))
        tls = pointer(openssl.SSL_new(context))
        openssl.SSL_set_fd(tls, peer.fileno())
        assert openssl.SSL_connect(tls) == 1
        memory = pointer(openssl.BIO_new(pointer(openssl.BIO_s_mem())))
        openssl.SSL_set0_wbio(tls, memory)
        begun, until = time.thread_time(), time.monotonic() + seconds
        while time.thread_time() - begun < work:
            openssl.SSL_key_update(tls, NOT_REQUESTED)
            openssl.SSL_do_handshake(tls)
            if time.monotonic() > until:
                raise TimeoutError
        return _is_reset(peer, _read(openssl, memory))


def _read(openssl: ctypes.CDLL, memory: ctypes.c_void_p) -> bytes:
    made, buffer = bytearray(), ctypes.create_string_buffer(CHUNK)
    while (size := openssl.BIO_read(memory, buffer, CHUNK)) > 0:
        made += buffer.raw[:size]
    return bytes(made)


def _is_reset(peer: socket.socket, made: bytes) -> bool:
    peer.settimeout(10 * LONGEST)
    try:
        peer.sendall(made)
        while peer.recv(CHUNK):
            pass  # tickets for another session
    except (ConnectionResetError, BrokenPipeError):
        return True
    return False
