"""How much of the door one address may take up: a bucket of requests for each, that fills again. Pure."""

from dataclasses import dataclass


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Sources:
    """Lets so many packets of one address through, and no more, so that the others are served.

    Args:
        per_second: how many each may send for ever; 0 lets everything through.
        burst: how many it may send at once, after a pause.
        most: addresses that are remembered. Beyond that the one that has been silent for longest is forgotten, which
            gives it a full bucket: whoever can send from so many addresses is not held up by this.
    """

    def __init__(self, per_second: float, burst: float, most: int = 4096) -> None:
        self._per_second = per_second
        self._burst = burst
        self._most = most
        self._buckets: dict[str, _Bucket] = {}  # that which was asked for last is the last

    def admit(self, address: str, now: float) -> bool:
        """Whether a packet from this address may be looked at.

        Args:
            address: the sender's.
            now: seconds that never run backwards.
        """
        if not self._per_second:
            return True
        bucket = self._buckets.pop(address, None)
        if bucket is None:
            bucket = _Bucket(self._burst, now)
            if len(self._buckets) >= self._most:
                del self._buckets[next(iter(self._buckets))]
        bucket.left = min(self._burst, bucket.left + (now - bucket.at) * self._per_second)
        bucket.at = now
        self._buckets[address] = bucket
        if bucket.left < 1:
            return False
        bucket.left -= 1
        return True

    def charge(self, address: str, packets: float) -> None:
        """Let nothing of an address through for as long as so many packets take it, from when it was asked for last."""
        if address in self._buckets:
            bucket = self._buckets[address]
            bucket.left = min(bucket.left, -packets)
