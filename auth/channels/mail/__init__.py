"""Mails: what one looks like, and the ways to hand it to somebody who carries it."""
