"""Options of a connection that depend on what the address leads over."""

from urllib.parse import urlsplit


def kept_alive(url: str) -> dict[str, bool]:
    """The option by which a peer that vanished without a word is noticed; a Unix socket has none, and needs none."""
    return {} if urlsplit(url).scheme == "unix" else {"socket_keepalive": True}
