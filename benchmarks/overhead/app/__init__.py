"""The project that all systems are measured in: articles, and users with sessions."""
