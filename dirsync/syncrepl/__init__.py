"""OpenLDAP and 389 Directory Server as sources of changes, by the Content Synchronization Operation (RFC 4533)."""
