"""The words of messages: what is wrong with an administrator's template before anybody gets it. No I/O, no clock."""
