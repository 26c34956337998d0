"""What is counted and measured, for Prometheus: nothing in it tells of a person."""
