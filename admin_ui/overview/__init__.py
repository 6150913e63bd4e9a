"""The first page: how things stand, and where reads run."""
