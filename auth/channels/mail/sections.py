"""Which structure an [email:NAME] section is read as. No I/O."""

from collections.abc import Mapping

from auth.channels.mail.settings import GraphSettings, MailDriver, MailSettings, SmtpSettings


def structure(options: Mapping[str, str]) -> type[MailSettings]:
    """What a section with these keys becomes; one that names an unknown driver is read as one for SMTP.

    Its driver is found malformed when the structure is read.
    """
    return GraphSettings if options.get("driver", "").strip().lower() == MailDriver.GRAPH else SmtpSettings
