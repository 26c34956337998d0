"""What the server does in one piece: a script for each verb that must look before it writes.

Instants are whole microseconds since 1970, which Lua's numbers hold exactly until the year 2255. Each script names all
of its keys, and they are in one hash slot, as a cluster wants it.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script.

    Attributes:
        source: its text.
        digest: what the server knows it by.
    """

    source: str
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        digest = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()  # EVALSHA wants SHA-1
        object.__setattr__(self, "digest", digest)


# ARGV: node, value, when it is forgotten (ms)
BEGIN: Final = Script("""\
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
""")
RENEW: Final = Script("""\
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'node', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
""")
# In ARGV: the node
ATTEMPT: Final = Script("""\
local found = redis.call('HMGET', KEYS[1], 'node', 'value')
if found[1] ~= ARGV[1] then return false end
redis.call('DEL', KEYS[1])
return found[2]
""")
# ARGV: node, value
CLAIM: Final = Script("""\
local found = redis.call('HMGET', KEYS[1], 'node', 'value')
if found[1] ~= ARGV[1] or found[2] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[1])
return 1
""")
# A hash: instant -> how many.  ARGV: instant, the oldest that is kept, how long it is kept (ms)
STRIKE: Final = Script("""\
local had = redis.call('HGETALL', KEYS[1])
for i = 1, #had, 2 do
  if tonumber(had[i]) < tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], had[i]) end
end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return had
""")
WITHDRAW: Final = Script("""\
if redis.call('HINCRBY', KEYS[1], ARGV[1], -1) <= 0 then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 1
""")
# ARGV: instant, the oldest that is kept, how long it is kept (ms), since when it counts, how many there may be
COUNT: Final = Script("""\
local had, number = redis.call('HGETALL', KEYS[1]), 0
for i = 1, #had, 2 do
  if tonumber(had[i]) > tonumber(ARGV[4]) then number = number + tonumber(had[i + 1]) end
  if tonumber(had[i]) < tonumber(ARGV[2]) then redis.call('HDEL', KEYS[1], had[i]) end
end
if number >= tonumber(ARGV[5]) then return 0 end
redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
""")
# In ARGV: the mark
CONSUME: Final = Script("""\
local at = redis.call('GET', KEYS[1])
if at and tonumber(at) >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
""")
# A hash: digest -> until when it is good.  ARGV: instant, digest ...
LAY_IN: Final = Script("""\
for i = 2, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[1]) end
local last = 0
for _, at in ipairs(redis.call('HVALS', KEYS[1])) do last = math.max(last, tonumber(at)) end
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', math.ceil(last / 1000)))
return 1
""")
# ARGV: digest, now
TAKE: Final = Script("""\
local at = redis.call('HGET', KEYS[1], ARGV[1])
if not at or tonumber(at) <= tonumber(ARGV[2]) then return -1 end
redis.call('HDEL', KEYS[1], ARGV[1])
local left = 0
for _, other in ipairs(redis.call('HVALS', KEYS[1])) do
  if tonumber(other) > tonumber(ARGV[2]) then left = left + 1 end
end
return left
""")
# In ARGV: the value, now and until when (ms)
FIRST: Final = Script("""\
local found = redis.call('HMGET', KEYS[1], 'value', 'until')
if found[1] and tonumber(found[2]) > tonumber(ARGV[2]) then return found[1] end
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'until', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return false
""")
# In ARGV: the value, until when (ms)
SUPERSEDE: Final = Script("""\
redis.call('HSET', KEYS[1], 'value', ARGV[1], 'until', ARGV[2])
redis.call('PEXPIREAT', KEYS[1], ARGV[2])
return 1
""")
# In ARGV: the value before, the value, until when (ms)
REPLACE: Final = Script("""\
if redis.call('HMGET', KEYS[1], 'value')[1] ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'until', ARGV[3])
redis.call('PEXPIREAT', KEYS[1], ARGV[3])
return 1
""")
# Hashes: minute -> amount.  ARGV: minute, the oldest that is kept, how long it is kept (ms),
# how many limits, and for each the number of its key, since when it counts, how much there may be (or ''), its amount;
# then what is counted under each key
RESERVE: Final = Script("""\
local place = 5
for limit = 1, tonumber(ARGV[4]) do
  local key, since = KEYS[tonumber(ARGV[place])], tonumber(ARGV[place + 1])
  local most, amount = ARGV[place + 2], ARGV[place + 3]
  place = place + 4
  if most ~= '' then
    local had, total = redis.call('HGETALL', key), 0
    for i = 1, #had, 2 do
      if tonumber(had[i]) > since then total = total + tonumber(had[i + 1]) end
      if tonumber(had[i]) < tonumber(ARGV[2]) then redis.call('HDEL', key, had[i]) end
    end
    if total + tonumber(amount) > tonumber(most) then return limit end
  end
end
for i = 1, #KEYS do
  redis.call('HINCRBY', KEYS[i], ARGV[1], ARGV[place + i - 1])
  redis.call('PEXPIRE', KEYS[i], ARGV[3])
end
return 0
""")
# Of what the server has forgotten meanwhile nothing can be taken back.
# ARGV: minute, what is taken back under each key
GIVE_BACK: Final = Script("""\
for i = 1, #KEYS do
  if redis.call('HGET', KEYS[i], ARGV[1]) then
    redis.call('HINCRBY', KEYS[i], ARGV[1], -tonumber(ARGV[i + 1]))
  end
end
return 1
""")

# 8 octets of the instant at which it was written stand in front of a value; the newest stays.  ARGV: value
RESTORE: Final = Script("""\
local has = redis.call('GET', KEYS[1])
if has and string.sub(has, 1, 8) >= string.sub(ARGV[1], 1, 8) then return 0 end
redis.call('SET', KEYS[1], ARGV[1])
return 1
""")
# KEYS: the epoch, the nodes that are waited for, the epochs that are over.  ARGV: an epoch to begin where there is
# none, the one that the node took part in (or ''), the nodes that took part in that one ...
BEGIN_EPOCH: Final = Script("""\
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local epoch = redis.call('GET', KEYS[1])
if ARGV[2] ~= '' and ARGV[2] ~= epoch and redis.call('SADD', KEYS[3], ARGV[2]) == 1 then
  for i = 3, #ARGV do redis.call('SADD', KEYS[2], ARGV[i]) end
end
return epoch
""")

# KEYS: which servers run, the epoch, the nodes that are waited for, the epochs that are over.  ARGV: which servers run,
# an epoch to begin where they are others than before, the nodes to wait for then ...
NEW_RUN: Final = Script("""\
local before, epoch = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
redis.call('SET', KEYS[1], ARGV[1])
if not before or before == ARGV[1] or not epoch then return 0 end
redis.call('SET', KEYS[2], ARGV[2])
redis.call('SADD', KEYS[4], epoch)
for i = 3, #ARGV do redis.call('SADD', KEYS[3], ARGV[i]) end
return 1
""")

ALL: Final = (
    BEGIN,
    RENEW,
    ATTEMPT,
    CLAIM,
    STRIKE,
    WITHDRAW,
    COUNT,
    CONSUME,
    LAY_IN,
    TAKE,
    FIRST,
    SUPERSEDE,
    REPLACE,
    RESERVE,
    GIVE_BACK,
    RESTORE,
    BEGIN_EPOCH,
    NEW_RUN,
)
