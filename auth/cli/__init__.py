"""The command line: `dirfactor --help`."""
