"""The demo shop, as every system is measured with it, without what only Readshift's own pages need."""
