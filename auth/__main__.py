"""`python -m auth` is `dirfactor`."""

from auth.cli.main import main

main()
