"""Fakes that behave: small worlds, not mocks that expect."""
