"""AWS services of the local Regions: what ministack lacks or answers at once."""
