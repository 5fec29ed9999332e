"""What can go wrong with marks.

MarksError
├── CertificateRefused    a certificate chain or key that nobody can sign with
├── CredentialsMissing    content credentials are asked for where c2pa-python is not installed
└── NotAPicture           bytes that are no JPEG, PNG, WebP, GIF or MP4
"""


class MarksError(Exception):
    """Something is wrong with a picture's marks."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class CertificateRefused(MarksError):
    """Nobody can sign with this certificate and key."""


class CredentialsMissing(MarksError):
    """Signing needs c2pa-python, which is not here: pip install c2pa-python, or unset PERSONNE_CERTIFICATE."""


class NotAPicture(MarksError):
    """This is no JPEG, PNG, WebP, GIF or MP4, or it is damaged: no mark can be read from it."""
