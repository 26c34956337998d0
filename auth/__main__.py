"""`python -m auth` is `dirfactor`."""

from auth.cli import main

main()
