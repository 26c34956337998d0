"""Software tokens, TOTP and HOTP: what one is, how it is sealed in the directory, which of its codes count. Pure."""
