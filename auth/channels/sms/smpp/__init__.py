"""Texts by SMPP 3.4, the protocol of operators and aggregators: units, session, connection."""
