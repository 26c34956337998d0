"""Methods: from a login and its evidence to the next step, one module for each method. Pure."""
