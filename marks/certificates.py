"""Certificates to sign pictures with: a chain of one's own, made here, or somebody's, checked before it is used."""

from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from marks.errors import CertificateRefused

CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
"""What C2PA calls a signature by a key on each curve."""
YEARS = 10


def make_chain(organisation: str) -> tuple[bytes, bytes]:
    """(certificates, key) as PEM: a leaf that signs pictures, then the root that vouches for it; the leaf's key.

    The root's own key is thrown away: it signs this one leaf and never anything else. What C2PA asks of a leaf: no
    authority of its own, digital signatures alone, a purpose (e-mail protection is the one that all readers accept),
    and identifiers of its own key and of the root's.
    """
    root_key, leaf_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name = _name(organisation, f"{organisation} root")
    root_id = x509.SubjectKeyIdentifier.from_public_key(root_key.public_key())
    root = (
        _certificate(root_name, root_name, root_key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(root_id, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    leaf = (
        _certificate(_name(organisation, f"{organisation} pictures"), root_name, leaf_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(leaf_key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    chain = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in (leaf, root))
    return chain, leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def algorithm_of(chain: bytes, key: bytes) -> str:
    """How C2PA calls signatures by this key. Raises CertificateRefused, unless the first certificate is the key's."""
    leaf = certificates(chain)[0]
    try:
        private = load_pem_private_key(key, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise CertificateRefused("The key is no PEM file with a private key, or has a password.") from None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.curve.name not in CURVES:
        raise CertificateRefused(f"The key is on none of the elliptic curves {', '.join(CURVES)}.")
    if _public(private.public_key()) != _public(leaf.public_key()):
        raise CertificateRefused("The key does not belong to the first certificate of the file; the leaf comes first.")
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        first, last = (f"{day:%Y-%m-%d}" for day in (leaf.not_valid_before_utc, leaf.not_valid_after_utc))
        raise CertificateRefused(f"The certificate is valid from {first} to {last} only.")
    return CURVES[private.curve.name]


def certificates(chain: bytes) -> list[x509.Certificate]:
    """Of a PEM file. Raises CertificateRefused."""
    try:
        return x509.load_pem_x509_certificates(chain)
    except ValueError:
        raise CertificateRefused("The certificate file holds no PEM certificates.") from None


def root_of(chain: bytes) -> bytes:
    """The last certificate of a PEM file, as PEM: whose word is to be trusted. Raises CertificateRefused."""
    return certificates(chain)[-1].public_bytes(Encoding.PEM)


def _name(organisation: str, common_name: str) -> x509.Name:
    parts = ((NameOID.ORGANIZATION_NAME, organisation), (NameOID.COMMON_NAME, common_name))
    return x509.Name([x509.NameAttribute(kind, text[:64]) for kind, text in parts])


def _certificate(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    # A clock that is a little behind must not find it not valid yet.
    begins = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * YEARS))
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _public(key: object) -> bytes:
    if not isinstance(key, ec.EllipticCurvePublicKey):
        return b""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
