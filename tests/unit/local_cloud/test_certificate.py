"""The certificate convinces a client that trusts `ca.pem`, for this machine's names only."""

import ssl
import stat
from pathlib import Path

import pytest
from countersign.cli.local_cloud.certificate import ensure_certificate


def shake_hands(folder: Path, host: str) -> None:
    """A TLS handshake in memory."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    client = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=host),
        server.wrap_bio(up, down, server_side=True),
    ]
    waiting = ends
    while waiting:
        waiting = [end for end in waiting if not _done(end)]


def _done(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_client_that_trusts_the_authority_is_convinced(host: str, tmp_path: Path) -> None:
    ensure_certificate(tmp_path)
    shake_hands(tmp_path, host)


def test_no_other_name_is_vouched_for(tmp_path: Path) -> None:
    ensure_certificate(tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(tmp_path, "example.org")


def test_a_good_certificate_is_kept_and_its_key_is_private(tmp_path: Path) -> None:
    ensure_certificate(tmp_path)
    first = (tmp_path / "server.pem").read_bytes()
    ensure_certificate(tmp_path)
    assert (tmp_path / "server.pem").read_bytes() == first
    assert stat.S_IMODE((tmp_path / "server.key").stat().st_mode) == 0o600


def test_a_damaged_certificate_is_made_anew(tmp_path: Path) -> None:
    ensure_certificate(tmp_path)
    (tmp_path / "server.pem").write_text("not a certificate")
    ensure_certificate(tmp_path)
    shake_hands(tmp_path, "localhost")
