"""One Kubernetes API per local Region, and the small controllers behind it."""
