"""The replicas as the process that serves the page knows them."""
