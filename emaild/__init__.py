"""emaild: a configuration-driven e-mail daemon."""

__version__ = "0.1.0"  # hatchling reads it here; to ask for the installed version takes 50 ms of every start
