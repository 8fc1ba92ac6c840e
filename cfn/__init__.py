"""Pure: a Platform and a Region in, troposphere templates out."""
