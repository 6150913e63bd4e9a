"""What decides: rules, gates, the compiled policy, and every table that Readshift owns."""
