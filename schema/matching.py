"""When two texts of a directory are the same: the preparation of strings by RFC 4518, for names and for DNs. Pure."""

import unicodedata


def prepared(text: str) -> str:
    """The form in which caseIgnoreMatch compares texts (RFC 4517 section 4.2.11, RFC 4518).

    Mapped to one case, normalised to NFKC (so that composed and decomposed letters, full-width forms and ligatures
    are the same), runs of space squeezed and those at the ends dropped. Preparing twice changes nothing.
    """
    if text.isascii():
        return " ".join(text.lower().split())
    # once more, because normalising can bring up characters that have a case (Unicode 3.13, R5)
    for _ in range(2):
        text = unicodedata.normalize("NFKC", text.casefold())
    return " ".join(text.split())
