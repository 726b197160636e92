"""The stream path: subscriptions, their queues, and the supervisor of each connection."""
