"""The collector's pauses: what is there when the service is ready is not gone through again."""

import gc

from auth.pauses import freeze_what_stays


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
