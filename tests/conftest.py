"""Fixtures of all tests."""

pytest_plugins = [
    "tests.redis_server",
    "tests.tiny_model",
    "tests.tiny_inverters",
    "tests.tiny_translator",
    "tests.served_model",
    "tests.webhook_listener",
]
