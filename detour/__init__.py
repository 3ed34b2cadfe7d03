"""The command line, one file a command, and the only place that wires the parts of Detour together."""

__version__ = "0.1.0"
