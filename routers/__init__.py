"""What carries decisions out: the read path of a request, task, command or block."""
