"""What the embedded state store is made of: transactions that many verbs share, and what it remembers of its file."""
