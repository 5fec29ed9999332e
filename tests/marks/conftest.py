import pytest

from marks.certificates import make_chain
from marks.credentials import Credentials


@pytest.fixture(scope="session")
def chain_and_key() -> tuple[bytes, bytes]:
    return make_chain("personne on a bench")


@pytest.fixture(scope="session")
def credentials(chain_and_key: tuple[bytes, bytes]) -> Credentials:
    return Credentials(*chain_and_key)
