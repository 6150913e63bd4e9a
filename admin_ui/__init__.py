"""What shows and steers: pages in the Django admin."""
