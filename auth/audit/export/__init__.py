"""The audit told to others as it is written: how a line is put for a receiver, and how it gets there."""
