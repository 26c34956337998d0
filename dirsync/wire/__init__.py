"""LDAP on the wire: which server is asked, how it is reached, trusted and signed in to, and what is said over it."""
