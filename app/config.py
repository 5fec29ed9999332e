"""What the web needs to know; built by the front door, never read from the environment here."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppConfig:
    """How the web behaves.

    default_model: name of the model that `/face` uses. default_psi: truncation_psi unless a request asks otherwise.
    ready_faces: how many faces are made ahead (0: none). request_timeout_s: how long a request waits for its job.
    max_faces: most faces that one GET /v1/faces draws.
    """

    default_model: str = "faces"
    default_psi: float = 0.7
    ready_faces: int = 64
    request_timeout_s: float = 30.0
    max_faces: int = 100
