"""The spend guard: to whom texts may go at all, how many, and the alarm when they are not what they seem."""
