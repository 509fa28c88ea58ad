"""Runs HTTP operations. What a server does wrong becomes a CallResult, and no secret comes back in one.

The base URL is the document's or the user's; arguments cannot change it. Redirects stay on it. A host's address
is looked up once and kept; a private one is refused, unless the user wrote the base URL.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from lamina.errors import UserError
from lamina.tools.execution.event_loop import EventLoop
from lamina.tools.execution.http_addresses import Addresses, NoAddress, Place, says_private
from lamina.tools.execution.http_answers import JUDGED_BYTES, Answer, read_body, result_of
from lamina.tools.execution.http_requests import NoRequest, WireRequest, wire_request
from lamina.tools.execution.outcomes import CallResult, Limits
from lamina.tools.execution.results import failed
from lamina.tools.execution.secrets import Secrets, from_environment
from lamina.tools.targets import Credential, HttpTarget
from lamina.tools.tool import JSON, Tool, Toolbox

if TYPE_CHECKING:
    import httpx

MOST_REDIRECTS = 3
REDIRECTS = (301, 302, 303, 307, 308)
AGAIN = (429, 500, 502, 503, 504)
"""Answers after which a request that changes nothing is tried once more."""
PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 2.0


class _Refused(Exception):
    """Not sent, or not followed; one sentence."""


class HttpRunner:
    """Thread-safe. One connection pool for all tools; no cookies, no proxy, no log line with a URL in it."""

    level = "http"

    def __init__(self, toolbox: Toolbox, limits: Limits):
        self._limits = limits
        self._loop = EventLoop()
        self._transport: httpx.AsyncHTTPTransport | None = None
        self._addresses = Addresses()
        known = {c.variable for t in toolbox if isinstance(t.target, HttpTarget) for c in _credentials(t.target)}
        self._secrets = Secrets(s for v in sorted(known) if (s := from_environment(v)))

    def unmet(self, tool: Tool) -> str | None:
        """What the user has yet to set, or to set otherwise, before ``tool`` can run."""
        target = tool.target
        assert isinstance(target, HttpTarget)
        try:
            named = from_environment(target.server_variable)
            _base(named or str(target.server or "http://unnamed"), target.server_variable if named else "")
            _sign(WireRequest("GET", "/"), _signing(target))
        except UserError as error:
            return f"{tool.name}: {error}"
        if not named:
            if not target.server:
                return f"{tool.name}: its document names no server; set {target.server_variable} to the base URL"
            if says_private(_base(target.server, "").host):
                what = f"{tool.name}: its document names a server of this machine or network, which only you may allow"
                return f"{what}; set {target.server_variable}={target.server}"
        if target.auth and _chosen(target) is None:
            wanted = " or ".join(" and ".join(c.variable for c in each) for each in target.auth)
            how = {c.how for each in target.auth for c in each}
            form = " (user:password)" if how == {"basic"} else ""
            return f"{tool.name} wants a key; set {wanted}{form} in the environment"
        return None

    def run(self, tool: Tool, arguments: JSON, now: str | None, scratch: Path | None) -> CallResult:
        """``unmet`` where a key or the server has yet to be named: others of the tools may run all the same."""
        target = tool.target
        assert isinstance(target, HttpTarget)
        if unmet := self.unmet(tool):
            return failed("unmet", unmet)
        start = time.monotonic()
        try:
            request = wire_request(target, arguments)
        except NoRequest as reason:
            return failed("invalid", f"{tool.name}: {reason}")
        named = from_environment(target.server_variable)
        base = _base(named or str(target.server), target.server_variable if named else "")
        _sign(request, _signing(target))
        result = self._loop.run(self._timed(tool, request, base, bool(named)))
        return dataclasses.replace(result, seconds=time.monotonic() - start)

    async def _timed(self, tool: Tool, request: WireRequest, base: httpx.URL, named: bool) -> CallResult:
        import httpx

        name = tool.name
        try:
            async with asyncio.timeout(self._limits.wall_seconds):
                return await self._twice(tool, request, base, named)
        except TimeoutError:
            return failed("timed_out", f"{name}: the server was still answering after {self._limits.wall_seconds:g} s")
        except (_Refused, NoAddress, ValueError) as reason:
            return failed("raised", self._secrets.scrub(f"{name}: {reason}"))
        except httpx.ConnectError:
            return failed("raised", f"{name}: {base.host} cannot be reached")
        except (httpx.HTTPError, OSError) as error:  # its text may hold the URL, and that the key
            return failed("raised", f"{name}: the connection failed ({type(error).__name__})")

    async def _twice(self, tool: Tool, request: WireRequest, base: httpx.URL, named: bool) -> CallResult:
        answer = await self._send(request, base, named)
        printed = ""
        if answer.status in AGAIN and request.method in ("GET", "HEAD"):
            await asyncio.sleep(_pause(answer.headers.get("retry-after", "")))
            first, answer = answer.status, await self._send(request, base, named)
            printed = f"answered {first} at first; this is the second try"
        return result_of(tool, answer, self._secrets, self._limits, printed=printed)

    async def _send(self, request: WireRequest, base: httpx.URL, named: bool) -> Answer:
        """One request, and the redirects that stay on its origin."""
        import httpx

        url = _url(request, base)
        method, headers = request.method, _headers(request)
        for _ in range(MOST_REDIRECTS + 1):
            form: Any = {"files": [(k, (None, v)) for k, v in request.form]} if request.form else {}
            content = {} if method in ("GET", "HEAD") and request.content is None else {"content": request.content}
            sent = httpx.Request(method, url, headers=headers, **(form or content))
            answer = await self._exchange(sent, named)
            location = answer.headers.get("location", "")
            if answer.status not in REDIRECTS or not location:
                return answer
            goal = _goal(url, location)
            if not _same_origin(url, goal):
                raise _Refused(f"the server redirects to another place ({goal.scheme}://{goal.host}), not followed")
            if method not in ("GET", "HEAD") and answer.status not in (307, 308):
                raise _Refused(f"the server redirects a {method} with {answer.status}, which would drop what was sent")
            url = goal
        raise _Refused(f"the server redirects more than {MOST_REDIRECTS} times")

    async def _exchange(self, request: httpx.Request, named: bool) -> Answer:
        import httpx

        if self._transport is None:
            self._transport = httpx.AsyncHTTPTransport(retries=0, trust_env=False)
        url = request.url
        place = Place(url.host, url.port or (443 if url.scheme == "https" else 80), named)
        request.headers["Host"] = url.netloc.decode()
        request.extensions["sni_hostname"] = place.host
        response = await self._connected(self._transport, request, place)
        try:
            most = max(self._limits.output_bytes, JUDGED_BYTES) + self._secrets.longest + 1
            stream: Any = response.stream
            body, whole = await read_body(aiter(stream), response.headers.get("content-encoding", ""), most)
            return Answer(response.status_code, response.headers, body, whole)
        finally:
            await response.aclose()

    async def _connected(self, transport: Any, request: httpx.Request, place: Place) -> httpx.Response:
        """The answer of the first address that takes the connection; nothing was sent to those before it."""
        import httpx

        url, addresses = request.url, await self._addresses.of(place)
        for address in addresses:
            last = address == addresses[-1]
            patience = None if last else self._limits.wall_seconds / (len(addresses) + 1)
            request.extensions["timeout"] = {"connect": patience}
            request.url = url.copy_with(host=address)
            try:
                response: httpx.Response = await transport.handle_async_request(request)
            except (httpx.ConnectError, httpx.ConnectTimeout):
                if last:
                    raise
                continue
            self._addresses.keep(place, address)
            return response
        raise AssertionError("a place has at least one address")

    def close(self) -> None:
        if self._transport is not None:
            self._loop.run(self._transport.aclose())
            self._transport = None
        self._loop.close()


def _credentials(target: HttpTarget) -> list[Credential]:
    return [*(c for each in target.auth for c in each), *target.optional_auth]


def _chosen(target: HttpTarget) -> tuple[Credential, ...] | None:
    """The first alternative whose variables are all set."""
    met = (each for each in target.auth if all(from_environment(c.variable) for c in each))
    return next(met, None)


def _signing(target: HttpTarget) -> list[Credential]:
    return [*(_chosen(target) or ()), *target.optional_auth]


def _base(text: str, variable: str) -> httpx.URL:
    import httpx

    try:
        url = httpx.URL(text)
        usable = url.scheme in ("http", "https") and bool(url.host) and not url.userinfo
    except (httpx.InvalidURL, ValueError):
        usable = False
    if not usable:
        where = f"{variable} is" if variable else "the server of the document is"
        raise UserError(f"{where} no base URL; write http(s)://host/path")
    return url


def _sign(request: WireRequest, credentials: list[Credential]) -> None:
    """Put the secrets in their places."""
    for credential in credentials:
        secret = from_environment(credential.variable)
        if secret is None:
            continue
        if not secret.isprintable() or not secret.isascii():
            raise UserError(f"what {credential.variable} holds cannot be sent; it must be printable ASCII")
        if credential.how == "basic":
            secret = "Basic " + base64.b64encode(secret.encode()).decode()
        elif credential.how == "bearer":
            secret = secret if secret.lower().startswith("bearer ") else f"Bearer {secret}"
        if credential.where == "query":
            request.query.append(f"{quote(credential.name, safe='')}={quote(secret, safe='')}")
        elif credential.where == "cookie":
            request.cookies.append(f"{credential.name}={quote(secret, safe='')}")
        else:
            request.headers[credential.name] = secret


def _headers(request: WireRequest) -> dict[str, str]:
    cookies = {"Cookie": "; ".join(request.cookies)} if request.cookies else {}
    fixed = {"Accept": "application/json, */*;q=0.5", "Accept-Encoding": "identity", "User-Agent": "lamina"}
    return {**fixed, **request.headers, **cookies}


def _url(request: WireRequest, base: httpx.URL) -> httpx.URL:
    """Raises _Refused for one that nobody would take: longer than 65,536 characters."""
    import httpx

    try:
        url = httpx.URL(str(base).rstrip("/") + request.path)
        query = "&".join(filter(None, [url.query.decode(), *request.query]))
        return url.copy_with(query=query.encode() or None)
    except httpx.InvalidURL as error:
        raise _Refused(f"no URL can be made of the arguments ({error})") from None


def _goal(url: httpx.URL, location: str) -> httpx.URL:
    import httpx

    try:
        return url.join(location)
    except httpx.InvalidURL:
        raise _Refused("the server redirects to what is no URL, not followed") from None


def _same_origin(url: httpx.URL, goal: httpx.URL) -> bool:
    if goal.userinfo or goal.host != url.host:
        return False
    if (goal.scheme, goal.port) == (url.scheme, url.port):
        return True
    return url.scheme == "http" and url.port is None and goal.scheme == "https" and goal.port is None


def _pause(said: str) -> float:
    return min(float(said), LONGEST_PAUSE_SECONDS) if said.isascii() and said.isdigit() else PAUSE_SECONDS
