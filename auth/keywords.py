"""Whether what was typed is a keyword, which has a code sent. Pure."""

from auth.chap.response import Shown
from auth.steps import Words
from schema.parse import fold
from schema.secret import Secret
from schema.words import TokenKind


def keyword_in(shown: Shown, words: Words) -> TokenKind | None:
    """The token whose keyword was typed; None when it was none. A keyword is no secret.

    Case and spaces around it do not count; of a response it is found as it stands, or all in lower or upper case.
    """
    if not isinstance(shown, Secret):
        spelled = ((form(word.strip()), kind) for word, kind in words for form in (str, str.lower, str.upper))
        return next((kind for word, kind in spelled if shown.proves(Secret(word))), None)
    typed = fold(shown.text.strip())
    return next((kind for word, kind in words if fold(word.strip()) == typed), None)
