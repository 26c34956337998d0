"""CHAP, MS-CHAP and MS-CHAPv2: a client shows what it computed from a code, and never the code. Pure."""
