"""All rows, in the order of Defender's tabs."""

from options.row import Row
from options.rows import account, defaults, general, messages, nodes, tokens, users

ROWS: tuple[Row, ...] = tuple(
    row for room in (general, account, messages, tokens, users, nodes, defaults) for row in room.ROWS
)
