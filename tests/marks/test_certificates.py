from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from marks.certificates import algorithm_of, certificates, make_chain, root_of
from marks.credentials import Credentials
from marks.errors import CertificateRefused


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def self_signed(key: ec.EllipticCurvePrivateKey, days: int) -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(9)).not_valid_after(now + timedelta(days))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)


def test_a_chain_is_a_leaf_and_its_root(chain_and_key: tuple[bytes, bytes]) -> None:
    chain, key = chain_and_key
    leaf, root = certificates(chain)
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert algorithm_of(chain, key) == "es256"
    assert certificates(root_of(chain)) == [root]
    assert leaf.not_valid_after_utc > datetime.now(UTC) + timedelta(days=3600)
    assert leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False


def test_every_chain_is_its_own() -> None:
    first, second = make_chain("one"), make_chain("one")
    assert first[0] != second[0]
    with pytest.raises(CertificateRefused, match="does not belong to the first certificate"):
        algorithm_of(first[0], second[1])


def test_the_leaf_comes_first(chain_and_key: tuple[bytes, bytes]) -> None:
    chain, key = chain_and_key
    leaf, root = (one.public_bytes(Encoding.PEM) for one in certificates(chain))
    with pytest.raises(CertificateRefused, match="the leaf comes first"):
        Credentials(root + leaf, key)


def test_files_that_are_none(chain_and_key: tuple[bytes, bytes]) -> None:
    chain, key = chain_and_key
    with pytest.raises(CertificateRefused, match="holds no PEM certificates"):
        algorithm_of(b"nothing", key)
    with pytest.raises(CertificateRefused, match="no PEM file with a private key"):
        algorithm_of(chain, chain)
    locked = load_pem_private_key(key, None)
    assert isinstance(locked, ec.EllipticCurvePrivateKey)
    with pytest.raises(CertificateRefused, match="elliptic curves"):
        algorithm_of(chain, pem(rsa.generate_private_key(65537, 2048)))


def test_an_expired_certificate_signs_nothing() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(CertificateRefused, match=r"is valid from .* to .* only"):
        algorithm_of(self_signed(key, days=-1), pem(key))
    assert algorithm_of(self_signed(key, days=1), pem(key)) == "es256"


def test_other_curves_have_their_own_algorithm() -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    assert algorithm_of(self_signed(key, days=1), pem(key)) == "es384"
