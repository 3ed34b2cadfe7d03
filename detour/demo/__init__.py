"""`detour demo`: the main job on live traffic, and an honest account of what the users noticed."""
