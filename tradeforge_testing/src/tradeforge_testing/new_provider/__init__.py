"""A new provider, written from the smallest complete one."""
