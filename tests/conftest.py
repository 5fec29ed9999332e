"""Fixtures of all tests."""

pytest_plugins = ["tests.tiny_model"]
