"""The command line, one file a command, and the only place that wires the parts of Detour together."""
