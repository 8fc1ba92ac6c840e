"""The steps of a failover: each observes, decides, acts and awaits."""
