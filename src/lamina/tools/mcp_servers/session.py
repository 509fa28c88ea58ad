"""A connection to one MCP server through the official SDK, that ends whatever the server does."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from lamina.errors import MissingExtraError
from lamina.tools.mcp_servers.config import Server
from lamina.tools.mcp_servers.guard import MOST_BYTES

START_SECONDS = 120.0
"""The first start of a server that npx or docker fetches takes a minute on a slow line."""
STOP_SECONDS = 8.0
MOST_PAGES = 50


class ServerFailed(Exception):
    """The server did not do its part; one sentence that begins with what it did. ``gone`` if the connection
    is of no further use, ``late`` if it was the clock."""

    def __init__(self, what: str, *, gone: bool = True, late: bool = False):
        super().__init__(what)
        self.gone, self.late = gone, late


class Session:
    """Used inside one event loop. The SDK's contexts are entered and left in one task, as it asks."""

    def __init__(self, server: Server):
        self._server = server
        self._stop = asyncio.Event()
        self._ready: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._ready.add_done_callback(_seen)
        self._task: asyncio.Task[None] | None = None
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 -- closed in stop

    async def start(self, seconds: float = START_SECONDS) -> None:
        """Raises ServerFailed, MissingExtraError."""
        try:
            import mcp  # noqa: F401
        except ImportError:
            raise MissingExtraError("mcp", "apis") from None
        logging.getLogger("mcp").setLevel(logging.CRITICAL)  # it logs what a server writes, with tracebacks
        logging.getLogger("client").setLevel(logging.CRITICAL)
        self._task = asyncio.create_task(self._live())
        try:
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise ServerFailed(f"did not answer within {seconds:g} s", late=True) from None

    async def tools(self, seconds: float = START_SECONDS) -> list[Any]:
        """All pages of ``tools/list``, in ``seconds`` together: pages may drip. Raises ServerFailed."""
        try:
            async with asyncio.timeout(seconds):
                return await self._pages(seconds)
        except TimeoutError:
            raise ServerFailed(f"was still listing its tools after {seconds:g} s", late=True) from None

    async def _pages(self, seconds: float) -> list[Any]:
        from mcp.types import PaginatedRequestParams

        found: list[Any] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            params = PaginatedRequestParams(cursor=cursor) if cursor else None
            page = await self._asked(self._ready.result().list_tools(params=params), seconds)
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                return found
        raise ServerFailed(f"lists its tools on more than {MOST_PAGES} pages")

    async def call(self, tool: str, arguments: dict[str, Any], seconds: float) -> Any:
        """The SDK's CallToolResult. Raises ServerFailed."""
        return await self._asked(self._ready.result().call_tool(tool, arguments), seconds)

    async def stop(self) -> None:
        self._stop.set()
        if self._task is not None:
            if not self._ready.done():  # it is still starting, and hears of no stop
                self._task.cancel()
            await asyncio.wait([self._task], timeout=STOP_SECONDS)
            self._task.cancel()
        self._errors.close()

    async def _asked(self, question: Any, seconds: float) -> Any:
        from mcp import MCPError
        from mcp.types import CONNECTION_CLOSED
        from pydantic import ValidationError

        try:
            async with asyncio.timeout(seconds):
                return await question
        except TimeoutError:
            raise ServerFailed(f"did not answer within {seconds:g} s", late=True) from None
        except MCPError as error:
            if error.code == CONNECTION_CLOSED:
                raise ServerFailed(await self._why()) from None
            said = " ".join(error.message.split())
            raise ServerFailed(f"answered with an error: {said}", gone=False) from None
        except ValidationError:
            raise ServerFailed("answered with something that MCP does not know", gone=False) from None
        except RuntimeError as error:  # what the SDK finds wrong with an answer, a broken output schema among it
            said = (str(error).splitlines() or [""])[0]
            raise ServerFailed(f"answered against the protocol: {said}", gone=False) from None

    async def _live(self) -> None:
        from mcp import ClientSession

        try:
            async with AsyncExitStack() as stack:
                streams = await stack.enter_async_context(self._transport())
                session = await stack.enter_async_context(ClientSession(*streams[:2]))
                await self._asked(session.initialize(), START_SECONDS)
                self._ready.set_result(session)
                await self._stop.wait()
        except (Exception, asyncio.CancelledError) as error:
            if not self._ready.done():
                known = _first_of(error, ServerFailed)
                self._ready.set_exception(known or ServerFailed(f"cannot be reached ({_kind(error)})"))

    @asynccontextmanager
    async def _transport(self) -> AsyncIterator[Any]:
        from mcp import StdioServerParameters, stdio_client
        from mcp.client.streamable_http import streamable_http_client

        server = self._server.filled()
        if server.url:
            async with (
                _bounded_client(server) as client,
                streamable_http_client(server.url, http_client=client) as there,
            ):
                yield there
            return
        source = str(Path(__file__).resolve().parents[3])
        begin = f"import sys; sys.path.insert(0, {source!r}); from lamina.tools.mcp_servers.guard import main; main()"
        command = ["-c", begin, server.command, *server.args]
        parameters = StdioServerParameters(
            command=sys.executable, args=command, env=server.env, cwd=server.cwd, encoding_error_handler="replace"
        )
        async with stdio_client(parameters, errlog=self._errors) as there:
            yield there

    async def _why(self) -> str:
        """What the guard said when it ended the server."""
        if self._server.url:
            return "closed the connection"
        for _ in range(20):  # the line may come a moment after the end
            with contextlib.suppress(OSError, ValueError):
                self._errors.seek(0)
                if lines := [line for line in self._errors.read().splitlines() if line.strip()]:
                    return lines[-1].removeprefix("it ")
            await asyncio.sleep(0.05)
        return "ended without a word"


@asynccontextmanager
async def _bounded_client(server: Server) -> AsyncIterator[Any]:
    """The HTTP client of the SDK's choice, with an end to every answer and without a proxy or a log line."""
    import httpx2

    class Bounded(httpx2.AsyncByteStream):
        def __init__(self, inner: Any):
            self._inner, self._left = inner, MOST_BYTES

        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for part in self._inner:
                self._left -= len(part)
                if self._left < 0:
                    raise httpx2.ReadError("an answer without end")
                yield part

        async def aclose(self) -> None:
            await self._inner.aclose()

    class Transport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: Any) -> Any:
            response = await super().handle_async_request(request)
            response.stream = Bounded(response.stream)
            return response

    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs URLs, and some hold a key
    timeout = httpx2.Timeout(30.0, read=300.0)
    headers = {"Accept-Encoding": "identity", **server.headers}
    async with httpx2.AsyncClient(headers=headers, timeout=timeout, transport=Transport(), trust_env=False) as client:
        yield client


def _seen(ready: asyncio.Future[Any]) -> None:
    """What failed is told by whoever waits; the loop need not speak of it when nobody waits any more."""
    if not ready.cancelled():
        ready.exception()


def _first_of(error: BaseException, kind: type[ServerFailed]) -> ServerFailed | None:
    if isinstance(error, kind):
        return error
    inner = getattr(error, "exceptions", ())
    return next((found for e in inner if (found := _first_of(e, kind))), None)


def _kind(error: BaseException) -> str:
    while getattr(error, "exceptions", ()):
        error = error.exceptions[0]  # type: ignore[attr-defined]
    return type(error).__name__
