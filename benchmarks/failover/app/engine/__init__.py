"""Django's engine for PostgreSQL, writing down what the application tries at which server."""
