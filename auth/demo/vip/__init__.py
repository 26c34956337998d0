"""VIP on this machine, to try with: a reading of both dialects of its own, in which nothing of auth.vip stands."""
