"""Symantec VIP: two dialects of one service, its reason codes, our certificates, and a client for all of it."""
