"""`detour doctor`: whether a cluster is fit for Detour. One part looks, the others judge what was seen and are pure."""
