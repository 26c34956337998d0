"""Changes tried before they are made: on a copy of the replica, by the code that takes real ones in."""
