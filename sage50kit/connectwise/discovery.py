"""Where the REST API of a site is (connectwise reference, 1.1).

Cloud sites change their code base with every release, so nobody writes it down: the site is asked
once, the answer is kept, and asked for again when a path suddenly is not there.
"""

from __future__ import annotations

import json
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from sage50kit.connectwise.answers import unreadable
from sage50kit.errors import ConfigError, ConnectWiseUnreadable, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

# Cloud hosts answer the API only under `api-`.
_CLOUD = tuple(f"{region}.myconnectwise.net" for region in ("na", "eu", "au", "aus", "za"))
_CLOUD_HOSTS = frozenset({*_CLOUD, "staging.connectwisedev.com"})
_CODEBASE = re.compile(r"[A-Za-z0-9_.-]+")


def origin(site: str) -> str:
    """`https://host` of a site as a profile names it; plain HTTP only on loopback.

    Raises:
        ConfigError: no host, more than a host, or plain HTTP to another machine.
    """
    try:
        parts = urlsplit(site if "://" in site else f"https://{site}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    extra = not host or parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if extra or parts.scheme not in ("https", "http"):
        raise ConfigError(
            f"site {site!r} is not a host name. Write it as na.myconnectwise.net or cw.example.com."
        )
    if parts.scheme == "http" and not _is_loopback(str(host)):
        raise ConfigError(
            f"site {site!r} is plain HTTP, which would show the keys. Leave http:// out: HTTPS is used."
        )
    return f"{parts.scheme}://{_api_host(str(host))}" + (f":{port}" if port else "")


def _api_host(host: str) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"api-{name}" if name in _CLOUD_HOSTS else name


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


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
    if not answer.is_success or not isinstance(info, dict):
        raise unreadable(path, f"status {answer.status_code}, no Codebase in it")
    codebase = str(info.get("Codebase") or "").strip("/")
    if not _CODEBASE.fullmatch(codebase):
        raise unreadable(path, "no Codebase in it")
    return f"{_rest_origin(site_origin, info)}/{codebase}/apis/3.0"


def _rest_origin(site_origin: str, info: dict[str, Any]) -> str:
    """The host that company info names, else the one that was asked."""
    named = str(info.get("SiteUrl") or "").strip()
    if not named:
        return site_origin
    scheme = urlsplit(site_origin).scheme
    try:
        found = origin(named if "://" in named else f"{scheme}://{named}")
    except ConfigError as error:
        raise ConnectWiseUnreadable(
            f"{site_origin} names {named} as the host of its API, where keys must not be sent. Ask the "
            "administrator of ConnectWise.",
            url=site_origin,
        ) from error
    asked = urlsplit(site_origin)
    # An on-premise site behind another port names only its host.
    same_host = urlsplit(found).hostname == asked.hostname and not urlsplit(found).port
    return site_origin if same_host and asked.scheme == urlsplit(found).scheme else found


def _company_info(answer: httpx.Response) -> Any:
    """The body as JSON; {} for the `null` of an unknown company; None for anything else."""
    try:
        found = json.loads(answer.content or b"null", strict=False)
    except ValueError:
        return None
    return {} if found is None else found
