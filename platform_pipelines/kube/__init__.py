"""What the product asks of the EKS clusters' Kubernetes APIs."""
