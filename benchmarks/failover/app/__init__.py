"""The project that all systems are measured with: articles with comments, and a counter of changes."""
