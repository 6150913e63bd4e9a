"""The pages of the shadow reads: which were compared, how the answers differ, and what somebody has looked at."""
