"""The local cloud's TLS certificate: 127.0.0.1 and localhost, signed by an authority of its own.

The authority's key is thrown away after one signature, so trusting `ca.pem` trusts nothing else.
"""

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = timedelta(days=820)
RENEW_BEFORE = timedelta(days=1)
HOSTS = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]


def ensure_certificate(folder: Path) -> None:
    """Write `ca.pem`, `server.pem` and `server.key` unless there are good ones."""
    now = datetime.now(UTC)
    if _good(folder, now):
        return
    folder.mkdir(parents=True, exist_ok=True)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), _new_key(folder / "server.key")
    authority = _signed(_authority(authority_key, now), authority_key)
    server = _signed(_server(key, authority, now), authority_key)
    (folder / "server.pem").write_bytes(server)
    (folder / "ca.pem").write_bytes(authority)


def _good(folder: Path, now: datetime) -> bool:
    try:
        server = x509.load_pem_x509_certificate((folder / "server.pem").read_bytes())
        present = (folder / "ca.pem").is_file() and (folder / "server.key").is_file()
    except (OSError, ValueError):
        return False
    return present and server.not_valid_after_utc > now + RENEW_BEFORE


def _new_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return key


def _base(name: str, key: ec.EllipticCurvePublicKey, now: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.CertificateBuilder:
    name = "Countersign local cloud authority"
    return (
        _base(name, key.public_key(), now)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
    )


def _server(
    key: ec.EllipticCurvePrivateKey, authority_pem: bytes, now: datetime
) -> x509.CertificateBuilder:
    authority = x509.load_pem_x509_certificate(authority_pem)
    issuer_id = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return (
        _base("Countersign local cloud", key.public_key(), now)
        .issuer_name(authority.subject)
        .add_extension(x509.SubjectAlternativeName(HOSTS), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_id),
            critical=False,
        )
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
