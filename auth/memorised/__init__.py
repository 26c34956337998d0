"""What a person has in their head or on a slip of paper: the PIN, and the helpdesk's temporary response. Pure."""
