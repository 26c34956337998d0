"""Texts by a program of the administrator's, such as one that drives a modem."""
