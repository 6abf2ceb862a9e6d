// Package deploy tests the deployment files without a container engine: it runs
// the commands of the Dockerfile and then the program as the image's user, in a
// root that has only the image's files, with the settings of compose.yaml, of the
// Kubernetes manifests and of the systemd unit, and behind nginx.
// `make test-deploy` runs it.
package deploy
