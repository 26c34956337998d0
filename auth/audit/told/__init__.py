"""What the audit tells people: the steps of one login as one story, each reason with what helps. Pure."""
