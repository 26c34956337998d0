"""How does the directory get here: sources, the replica, the scheduler and binds. All LDAP lives here."""
