"""What a message costs, beside other clients; README.md says how to read it."""
