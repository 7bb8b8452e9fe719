"""Tools that need no account of the user anywhere."""
