"""EAP inside RADIUS (RFC 3579): Identity, GTC and Nak. Pure; nothing is kept between two packets of a dialogue."""
