"""How one captured read is compared on two servers: what they answer, whether that differs, and why."""
