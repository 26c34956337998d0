"""How does the directory get here: sources, the replica, the scheduler and binds. All LDAP lives here."""

import os
from typing import Final

# libldap reads this once, when it is loaded. Hardened domain controllers demand it of Kerberos over TLS: that the
# ticket is bound to the server's certificate (RFC 5929 section 4). Of the two kinds, TLS 1.3 has only this one.
_CHANNEL_BINDING: Final = "LDAPSASL_CBINDING"
os.environ.setdefault(_CHANNEL_BINDING, "tls-endpoint")
