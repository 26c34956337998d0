"""Commands that write what is sealed or digested under the key ring: seeds, PINs, responses, shared secrets."""
