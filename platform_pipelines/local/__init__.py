"""The two embedded Regions: stand-ins for AWS and Kubernetes on a laptop. A server of its own."""
