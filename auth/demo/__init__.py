"""What the demonstration and the tests run against: services of others, played on this machine."""
