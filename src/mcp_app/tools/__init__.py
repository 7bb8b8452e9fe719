"""The tools: what they are, where they are registered, and one module each."""
