"""Where records are kept: keys, bytes, versions and expiry; nothing of what they mean."""
