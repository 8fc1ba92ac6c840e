"""The CA and the certificates of the local clusters."""

import socket
import ssl
import stat
import threading
from pathlib import Path

import pytest

from platform_pipelines.local.tls import Authority, ensure_ca


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA that was made now."""
    return ensure_ca(tmp_path)


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_a_client_with_the_ca_trusts_a_cluster_by_address_and_name(
    authority: Authority, name: str
) -> None:
    """Even under Python's strictest rules for certificates."""
    client = ssl.create_default_context(cadata=authority.ca_pem.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    assert _handshake(authority, client, name) == "http/1.1"


def test_a_client_with_another_ca_does_not(authority: Authority, tmp_path: Path) -> None:
    """Two state folders do not trust each other."""
    client = ssl.create_default_context(cadata=ensure_ca(tmp_path / "b").ca_pem.decode())
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(authority, client, "127.0.0.1")


def test_the_ca_is_kept(authority: Authority, tmp_path: Path) -> None:
    """A second start has the same one."""
    assert ensure_ca(tmp_path).ca_pem == authority.ca_pem


def test_half_a_ca_is_made_anew(authority: Authority, tmp_path: Path) -> None:
    """A folder that was cleaned by half does not stop the server."""
    (tmp_path / "tls" / "ca.key").unlink()
    assert ensure_ca(tmp_path).ca_pem != authority.ca_pem


def test_keys_are_their_owners(authority: Authority, tmp_path: Path) -> None:
    """Nobody else on the machine reads them."""
    authority.server_context("seoul")
    modes = {stat.S_IMODE(key.stat().st_mode) for key in (tmp_path / "tls").glob("*.key")}
    assert modes == {0o600}


def _handshake(authority: Authority, client: ssl.SSLContext, name: str) -> str | None:
    server = authority.server_context("seoul")
    client.set_alpn_protocols(["h2", "http/1.1"])
    near, far = socket.socketpair()

    def serve() -> None:
        with far:
            try:
                server.wrap_socket(far, server_side=True).close()
            except ssl.SSLError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(near, server_hostname=name) as secured:
            return secured.selected_alpn_protocol()
    finally:
        near.close()
        thread.join(2)
