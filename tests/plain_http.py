"""For clients that speak plain HTTP."""

import ssl

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""A client's `verify`. By default each reads all the authorities that it might trust first, for 30 ms of a core."""
