"""Active Directory as a source of changes: the DirSync control and the dialogue around it."""
