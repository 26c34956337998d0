"""The garbage collector's pauses: everything that it goes through while it runs is a logon that waits."""

import gc


def freeze_what_stays() -> None:
    """Have the collector leave alone, from now on, whatever exists now; called once, when the service is ready.

    Modules, settings and connections stay until the end, and there are a hundred thousand of such objects. What comes
    later is bounded: the replica remembers so many people and no more, and open logins stand in a file.
    """
    gc.collect()
    gc.freeze()
