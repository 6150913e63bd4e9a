"""What operators can do, checked and put into words before it happens."""
