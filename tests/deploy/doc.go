// Package deploy proves what the deploy files promise, where no container
// engine is: it builds what the Dockerfile builds, runs it as the image's
// user in a root that holds only what the image holds, with the settings of
// compose.yaml, of the Kubernetes manifests and of the systemd unit, and with
// nginx before it. `make test-deploy` runs it.
package deploy
