"""VIP User Services, which knows users and their credentials: its messages, its answers, what we ask when."""
