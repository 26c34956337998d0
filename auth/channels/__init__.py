"""How a code that we minted reaches its person: one mechanism, a room for each transport."""
