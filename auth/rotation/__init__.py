"""Taking a new key of the ring into use: what needs which key, and what is sealed anew. Pure."""
