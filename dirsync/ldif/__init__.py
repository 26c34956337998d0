"""An LDIF file as a directory: its entries as a source of changes, and its passwords."""
