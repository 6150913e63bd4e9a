"""The numbers that the README quotes, each measured side by side with peers."""
