"""Where an operation is served."""

from __future__ import annotations

from urllib.parse import urlsplit

from lamina.tools.openapi.document import Document, as_list, as_object
from lamina.tools.tool import JSON


def server_of(document: Document, item: JSON, operation: JSON) -> str | None:
    """The first server's absolute URL with its variables' defaults."""
    if document.version == "2.0":
        host = document.root.get("host")
        if not isinstance(host, str) or not host:
            return None
        schemes = [s for s in as_list(operation.get("schemes", document.root.get("schemes"))) if s in ("https", "http")]
        scheme = "https" if "https" in schemes or not schemes else "http"
        url = f"{scheme}://{host}{document.root.get('basePath') or ''}"
    else:
        servers = next((s for s in (operation.get("servers"), item.get("servers")) if as_list(s)), None)
        first = as_object((as_list(servers) or as_list(document.root.get("servers")) or [None])[0])
        url = str(first.get("url") or "")
        for name, variable in as_object(first.get("variables")).items():
            url = url.replace(f"{{{name}}}", str(as_object(variable).get("default", "")))
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and bool(parts.hostname) and "{" not in url and "@" not in parts.netloc
        )
    except ValueError:
        usable = False
    return url.split("?")[0].split("#")[0].rstrip("/") if usable else None
