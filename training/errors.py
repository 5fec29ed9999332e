"""What training refuses or gives up on.

TrainingError
├── DatasetError        the pictures cannot be read
├── EncoderRefused      a file holds no encoder of the metrics
├── RunRefused          the run's folder is in use or holds another network, or its device is not to be had
└── TrainingDiverged    the numbers are no longer finite
"""


class TrainingError(Exception):
    """Training cannot go on."""


class DatasetError(TrainingError):
    """The training pictures cannot be read."""


class EncoderRefused(TrainingError):
    """This file holds no encoder of the metrics."""


class RunRefused(TrainingError):
    """The run's folder is in use or holds another network, or its device is not to be had."""


class TrainingDiverged(TrainingError):
    """The numbers are no longer finite; the saved state is from before."""
