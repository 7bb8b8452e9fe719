"""The keys of the authorization server: those that sign access tokens, and the one that seals everything else."""
