"""Tests of the product; each test says in one line what it shows."""
