"""Which config.ini is meant when a command line does not say."""

from typing import Final

CONFIG_VARIABLE: Final = "DIRFACTOR_CONFIG"
DEFAULT_CONFIG: Final = "/etc/dirfactor/config.ini"
