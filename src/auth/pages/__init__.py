"""The pages that people see: sign-in, consent, account and errors."""
