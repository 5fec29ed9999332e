"""The signature of a webhook, as Standard Webhooks has it (www.standardwebhooks.com): many libraries verify it."""

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256

SECRET_PREFIX = "whsec_"  # noqa: S105  # not a secret, but how one begins


def key_of(secret: str) -> bytes:
    """`whsec_` and base64, as the libraries have it; any other text is taken as it is. Raises ValueError."""
    if secret.startswith(SECRET_PREFIX):
        return b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    return secret.encode()


def signed_headers(key: bytes, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """id, time (Unix seconds), and a signature over both and the body: an old message cannot be sent as a new one."""
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = b64encode(hmac.new(key, content, sha256).digest()).decode()
    return {"webhook-id": message_id, "webhook-timestamp": str(timestamp), "webhook-signature": f"v1,{signature}"}
