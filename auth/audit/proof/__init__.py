"""Proves that an audit is as it was written, or names the first line where it is not."""
