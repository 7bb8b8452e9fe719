"""NeonPanel's REST API."""
