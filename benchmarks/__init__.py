"""The numbers that `docs/measured.md` quotes, each measured side by side with peers."""
