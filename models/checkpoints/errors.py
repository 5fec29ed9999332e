"""What can go wrong when a checkpoint is read.

ModelsError
└── CheckpointRefused      a file that gives no servable network, with the reason
    └── CheckpointUnsafe   a file that asks for what opening a checkpoint must never do, or for more than the limits
"""

from models.errors import ModelsError


class CheckpointRefused(ModelsError):
    """This file holds no checkpoint that this release can use."""


class CheckpointUnsafe(CheckpointRefused):
    """This file asks for more than the opening of a checkpoint allows."""
