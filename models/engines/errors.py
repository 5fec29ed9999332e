"""What can go wrong when a graph is opened.

ModelsError
└── EngineRefused   the device asked for is not to be had with this installation on this machine
"""

from models.errors import ModelsError


class EngineRefused(ModelsError):
    """This installation cannot open a graph on the device asked for."""
