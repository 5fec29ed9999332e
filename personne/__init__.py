"""personne: faces that do not exist, served by yourself."""

__version__ = "0.1.0"
