"""Secret values: from the environment on a laptop, from Secrets Manager on Lambda."""
