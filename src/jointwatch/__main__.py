"""`python -m jointwatch`: the same program as the command `jointwatch`."""

from jointwatch.cli.main import main

main()
