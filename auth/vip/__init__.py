"""The Symantec VIP Authentication Service: its messages, its reason codes and the client that speaks to it."""
