"""What an administrator does to a directory, by ldap3: its schema, rights, people and policies."""
