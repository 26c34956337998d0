"""The state of logins on a Valkey or Redis that several nodes share."""
