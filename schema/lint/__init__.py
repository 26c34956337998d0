"""Would Windows take it: judges the LDIF of a schema extension by the rules that a domain controller enforces. Pure."""
