"""Infrastructure of both Regions: plan, apply, and converge to the roles."""
