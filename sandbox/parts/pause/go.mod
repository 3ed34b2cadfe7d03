module detour.dev/sandbox/parts/pause

go 1.26.0
