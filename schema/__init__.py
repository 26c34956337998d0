"""What does the directory say: the attribute table, the entries, their parsing and the schema's renderings. Pure."""
