"""The Symantec VIP Authentication Service: its messages, its reason codes and a client for it."""
