"""genforce's files of StyleGAN and Progressive GAN: our networks have its names, so only the arguments are read off."""

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.state_dicts import StateDict
from models.networks import pggan, stylegan1

ORIGIN = "a PyTorch file in genforce's layout"


def read_stylegan(found: StateDict) -> Checkpoint:
    """Raises ValueError where the tensors are not all those of one StyleGAN generator."""
    return Checkpoint("stylegan1", stylegan1.kwargs_from_tensors(found.tensors), found.tensors, ORIGIN)


def read_pggan(found: StateDict) -> Checkpoint:
    """Raises ValueError where the tensors are not all those of one Progressive GAN generator."""
    return Checkpoint("pggan", pggan.kwargs_from_tensors(found.tensors), found.tensors, ORIGIN)
