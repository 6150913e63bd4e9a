"""How the servers stand and are set up, and whether a failover would go well."""
