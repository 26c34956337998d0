"""What keeps a directory from being read as it should, seen with the eyes of the service account."""
