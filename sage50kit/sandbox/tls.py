"""A certificate for the local site, made on the spot by an authority of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sage50kit.errors import MissingDependency

if TYPE_CHECKING:
    from pathlib import Path


class Certificate(NamedTuple):
    """The files of a certificate: the server's key and chain in one, and the authority to trust."""

    server: Path
    ca_file: Path


def make_certificate(folder: Path) -> Certificate:
    """Write a certificate for this machine's loopback names into `folder`.

    Raises:
        MissingDependency: the extra `tls` is not installed.
    """
    try:
        import trustme
    except ImportError:
        raise MissingDependency(
            "trustme", needed_by="the local site with TLS", extra="tls"
        ) from None
    authority = trustme.CA()
    server, ca_file = folder / "server.pem", folder / "ca.pem"
    issued = authority.issue_cert("localhost", "127.0.0.1", "::1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(server))
    authority.cert_pem.write_to_path(str(ca_file))
    return Certificate(server, ca_file)
