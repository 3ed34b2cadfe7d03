// Package ext stands for a module that Traefik keeps inside its own repository, which therefore no proxy serves.
package ext

// HTTP extends Traefik's HTTP configuration by nothing.
type HTTP struct{}

// Router extends Traefik's Router configuration by nothing.
type Router struct{}
