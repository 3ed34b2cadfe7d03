module detour.dev/sandbox/parts/seed-app

go 1.26.0
