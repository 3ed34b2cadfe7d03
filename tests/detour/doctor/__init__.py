"""`detour doctor`: every judgement about a cluster, case by case."""
