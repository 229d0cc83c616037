"""The certificates that we trust, read once for all clients."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Each client by itself would read them again: 30 ms and half a megabyte apiece."""
    return httpx.create_ssl_context(trust_env=False)
