"""The doors: one module per way into the app, each a few lines."""
