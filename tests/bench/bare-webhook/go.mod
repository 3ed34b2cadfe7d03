module detour.dev/bench/bare-webhook

go 1.26
