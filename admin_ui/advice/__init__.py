"""What to move first: endpoints by the load that would be won and by risk, before anything moves."""
