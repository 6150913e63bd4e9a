"""What every page draws with: figures as text, lengths of time, charts."""
