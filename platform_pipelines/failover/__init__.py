"""Seeing a Region outage, deciding, failing over, and leaving evidence."""
