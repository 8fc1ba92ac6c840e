"""What the product asks of AWS: clients bound to one Region, and one thin module per service."""
