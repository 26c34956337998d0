"""How an error that nobody expected is put into the log: its kind and its place, never its text."""

import traceback
from pathlib import Path

from schema.errors import Fault


def describe(error: BaseException) -> str:
    """What may be logged of an error, in one line.

    The text of an error may quote what a person typed, and so may a traceback, which ends with it. A `Fault` is
    written for the operator and quotes no secret, so its text is given; of any other error its type and its line.
    """
    if isinstance(error, Fault):
        return str(error)
    places = [
        f" in {Path(frame.f_code.co_filename).name} line {line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    return type(error).__name__ + "".join(places[-1:])
