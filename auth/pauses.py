"""The garbage collector's pauses: everything that it goes through while it runs is a logon that waits."""

import gc

_YOUNG_OBJECTS = 10_000


def freeze_what_stays() -> None:
    """Have the collector leave alone, from now on, whatever exists now; called once, when the service is ready.

    Modules, settings and connections stay until the end, or until they are replaced. There are a hundred thousand of
    such objects. What comes later is bounded: the replica remembers so many people and no more, and open logins stand
    in a file.

    What a login leaves behind is freed by counting references. The collector looks for cycles only, of which there are
    hardly any, so it looks less often: each login makes a hundred objects, and 700 would be looked through every time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])


def free_what_was_replaced() -> None:
    """Free at once what is needed no more, and leave alone the rest; called when config.ini was read again.

    Left to itself what was replaced would stay: what was there when the service was ready for ever, the rest until the
    collector next goes through what is old, by when several generations of it would be there. Workers that share
    memory share less of it afterwards, for the collector writes into whatever it looks at.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
