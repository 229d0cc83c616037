"""A token that belongs in the path of an address, kept out of every log line and error."""

import time
from collections.abc import AsyncIterable, AsyncIterator
from datetime import timedelta
from urllib.parse import quote

import httpx

from integrations.tls import trusted

HIDDEN = "hidden-token"  # stands in the address wherever somebody may log or quote it


class SecretPath(httpx.AsyncBaseTransport):
    """Puts the token into the path at the last moment: below the client, its log lines and its errors.

    `transport` is for tests; without it a PoolTimeout is answered by a new pool, because connections that
    never come back would starve the old one for ever. `deadline` limits one whole answer, however slowly
    it drips: it is looked at between pieces, as a request cancelled from outside never gives its connection
    back.
    """

    def __init__(
        self,
        token: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        proxy: str = "",
        deadline: timedelta | None = None,
    ) -> None:
        self._token = quote(token, safe=":").encode()
        self._given = transport
        self._proxy = proxy or None
        self._deadline = deadline
        self._inner = self._open()
        self._retired: list[httpx.AsyncBaseTransport] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.raw_path.replace(HIDDEN.encode(), self._token, 1)
        whole = httpx.Request(
            request.method,
            request.url.copy_with(raw_path=path),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        try:
            response = await self._inner.handle_async_request(whole)
        except httpx.PoolTimeout:
            self._retired.append(self._inner)
            self._inner = self._open()
            raise
        if self._deadline is not None and isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Timely(response.stream, self._deadline)
        return response

    async def aclose(self) -> None:
        for transport in (*self._retired, self._inner):
            await transport.aclose()
        self._retired.clear()

    def _open(self) -> httpx.AsyncBaseTransport:
        return self._given or httpx.AsyncHTTPTransport(proxy=self._proxy, verify=trusted(), trust_env=False)


class _Timely(httpx.AsyncByteStream):
    def __init__(self, stream: AsyncIterable[bytes], deadline: timedelta) -> None:
        self._stream = stream
        self._ends_at = time.monotonic() + deadline.total_seconds()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            if time.monotonic() > self._ends_at:
                raise httpx.ReadTimeout("the answer took too long")
            yield piece

    async def aclose(self) -> None:
        if isinstance(self._stream, httpx.AsyncByteStream):
            await self._stream.aclose()
