"""What do we decide and do: the decision, challenges, channels, front doors, audit and command line."""
