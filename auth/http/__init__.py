"""The HTTP door: its listener, who may call what, the routes, and the document that describes them."""
