"""A project with django-debug-toolbar, which a process of its own runs: the suite itself does without it."""
