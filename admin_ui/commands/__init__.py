"""The subcommands of `manage.py readshift`, one module each."""
