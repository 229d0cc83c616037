"""The certificates that we trust, read once for all clients."""

import ssl
from functools import cache

import httpx


@cache
def trusted() -> ssl.SSLContext:
    """Each client by itself would read them again: 30 ms and half a megabyte apiece."""
    return httpx.create_ssl_context(trust_env=False)


def trusting(ca_file: str) -> ssl.SSLContext:
    """Those, and the certificates of this PEM file. Raises OSError where it is missing or holds none."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_verify_locations(cafile=ca_file)
    return context
