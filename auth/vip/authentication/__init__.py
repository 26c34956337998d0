"""The VIP Authentication Service, which knows credentials by their ids: its messages, its answers, what we ask when."""
