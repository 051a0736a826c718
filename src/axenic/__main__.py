"""`python -m axenic` is `axenic`."""

from axenic.cli import main

main()
