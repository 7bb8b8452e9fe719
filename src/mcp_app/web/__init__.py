"""Routes that a person or a monitor asks for."""
