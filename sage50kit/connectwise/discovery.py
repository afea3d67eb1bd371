"""Where the REST API of a site is (connectwise reference, 1.1)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sage50kit.connectwise.answers import unreadable
from sage50kit.errors import ConfigError, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

# Cloud hosts answer the API only under `api-`.
_CLOUD = tuple(f"{region}.myconnectwise.net" for region in ("na", "eu", "au", "aus", "za"))
_CLOUD_HOSTS = frozenset({*_CLOUD, "staging.connectwisedev.com"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def origin(site: str) -> str:
    """`https://host` of a site as a profile names it; plain HTTP only on loopback.

    Raises:
        ConfigError: no host, a path, or plain HTTP to another machine.
    """
    parts = urlsplit(site if "://" in site else f"https://{site}")
    if not parts.hostname or parts.path.strip("/") or parts.scheme not in ("https", "http"):
        raise ConfigError(
            f"site {site!r} is not a host name. Write it as na.myconnectwise.net or cw.example.com."
        )
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise ConfigError(
            f"site {site!r} is plain HTTP, which would show the keys. Leave http:// out: HTTPS is used."
        )
    return f"{parts.scheme}://{_api_host(parts.netloc)}"


def _api_host(host: str) -> str:
    return f"api-{host}" if host.lower() in _CLOUD_HOSTS else host


def discover(get: Callable[[str], httpx.Response], site_origin: str, company: str) -> str:
    """The base URL of the REST API, without a slash at the end.

    Raises:
        NotFound: the site or the company id does not exist.
        ConnectWiseUnreadable: something else than ConnectWise answers there.
    """
    path = f"/login/companyinfo/{quote(company, safe='')}"
    answer = get(site_origin + path)
    info = _company_info(answer)
    if answer.status_code == 404 or (answer.is_success and info == {}):
        raise NotFound(
            f"{site_origin} knows no company id {company!r}. Check site and company under [connectwise] "
            "in the profile.",
            status=404,
            url=path,
        )
    if not answer.is_success or not isinstance(info, dict) or not info.get("Codebase"):
        raise unreadable(path, f"status {answer.status_code}, no Codebase in it")
    codebase = str(info["Codebase"]).strip("/")
    return f"{_host(site_origin, info)}/{codebase}/apis/3.0"


def _host(site_origin: str, info: dict[str, Any]) -> str:
    """The host that company info names, else the one that was asked."""
    named = str(info.get("SiteUrl") or "").strip().rstrip("/")
    scheme = urlsplit(site_origin).scheme
    bare = named.partition("://")[2] or named
    return f"{scheme}://{_api_host(bare)}" if bare else site_origin


def _company_info(answer: httpx.Response) -> Any:
    """The body as JSON; {} for the `null` of an unknown company; None for anything else."""
    try:
        found = json.loads(answer.content or b"null")
    except ValueError:
        return None
    return {} if found is None else found
