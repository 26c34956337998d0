"""Access tokens from somebody else's authorization server (RFC 6749): asked for, kept while they are good, renewed."""
