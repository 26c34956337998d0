"""Texts by HTTP: what a [sms:NAME] section describes, its presets, and the signatures that some providers want."""
