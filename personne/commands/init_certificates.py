"""personne certs init: a certificate chain of one's own, so that pictures leave signed."""

import os
from pathlib import Path

from marks.certificates import make_chain
from personne.errors import CertificatesThere


def init_certificates(files: tuple[Path, Path], organisation: str, *, force: bool) -> None:
    """Write a new chain and its key, which only this user may read. Raises CertificatesThere."""
    chain_file, key_file = files
    if not force and (chain_file.exists() or key_file.exists()):
        raise CertificatesThere(chain_file.parent)
    chain, key = make_chain(organisation)
    chain_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(key_file, key, 0o600)
    _write(chain_file, chain, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Whole or not at all, and never readable by more than `mode` says, not even for a moment."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    unfinished.replace(path)
