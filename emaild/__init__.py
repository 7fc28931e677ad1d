"""emaild: a configuration-driven e-mail daemon."""

from importlib.metadata import version

__version__ = version("emaild")
