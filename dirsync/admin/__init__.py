"""What an administrator does to a directory's schema, by ldap3."""
