"""Would a failover succeed tonight? Inventories, parity, lag, and one verdict."""
