"""`python -m detour`, for when the command is not on the path."""

from detour.cli import main

main()
