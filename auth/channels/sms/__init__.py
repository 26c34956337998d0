"""How a text reaches a phone: a room for each protocol that gateways speak, and what all of them know of texts."""
