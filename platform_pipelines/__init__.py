"""Build, watch and fail over an EKS platform that lives in two AWS Regions."""
