"""Tests of provisioning: plan, apply, converge."""
