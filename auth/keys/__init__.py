"""The keys under which values in the directory are sealed or digested: the ring, its file, and what is done with it."""
