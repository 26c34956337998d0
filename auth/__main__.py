"""`python -m auth` is `dirfactor`."""

from auth.cli.entry import main

main()
