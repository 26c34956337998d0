"""What keeps the service from its work, or soon will: examined from where it runs, each finding with what to do."""
