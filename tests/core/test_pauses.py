"""The collector's pauses: what is there when the service is ready is not gone through again."""

import gc
import weakref

from auth.pauses import free_what_was_replaced, freeze_what_stays


def test_what_exists_is_left_alone_and_what_comes_later_is_not():
    early = [[]]
    try:
        freeze_what_stays()
        late = [[]]
        looked_at = {id(item) for item in gc.get_objects()}
        assert id(early) not in looked_at
        assert id(late) in looked_at
    finally:
        gc.unfreeze()


def test_what_was_replaced_meanwhile_is_freed_though_it_was_to_stay():
    """As parts are that know each other, when config.ini is read again."""

    class Part:
        other: "Part"

    one, two = Part(), Part()
    one.other, two.other = two, one
    try:
        freeze_what_stays()
        replaced = weakref.ref(one)
        del one, two
        gc.collect()
        assert replaced() is not None, "the collector leaves it alone"
        free_what_was_replaced()
        assert replaced() is None
    finally:
        gc.unfreeze()
