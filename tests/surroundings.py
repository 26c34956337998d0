"""Time and chance for connections in tests: the real time, and chance that is the same in each run."""

import random
import time

from dirsync.wire.surroundings import Surroundings

SURROUNDINGS = Surroundings(time.monotonic, random.Random(1).randrange)
