"""The API key of the application in these scenarios."""

from schema.secret import Secret

API_KEY = Secret("0123456789abcdef0123456789abcdef")
