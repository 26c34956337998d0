"""Every "why?" has an answer: what would happen, what a change will do, what has happened. Nothing is decided here."""
