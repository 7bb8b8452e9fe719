"""NeonPanel: its REST API, and the tokens with whose rights it is called."""
