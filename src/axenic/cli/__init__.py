"""The command line: parses words, calls rooms, prints. Frozen by tests/cli_surface.txt.

Commands import the rooms inside their functions, which only this package may do: torch alone takes seconds to import, and
`axenic --help` and `axenic list` must answer at once.
"""

from axenic.cli.app import main

__all__ = ["main"]
