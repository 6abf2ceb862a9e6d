//go:build deploy

package deploy_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// kustomize renders the manifests as kubectl does. lint.sh pins the same
// version.
const kustomize = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"

type manifest struct {
	Kind       string            `json:"kind"`
	Data       map[string]string `json:"data"`
	StringData map[string]string `json:"stringData"`
	Spec       struct {
		Ports []struct {
			TargetPort string `json:"targetPort"`
		} `json:"ports"`
		Selector json.RawMessage `json:"selector"`
		Template struct {
			Metadata struct {
				Labels map[string]string `json:"labels"`
			} `json:"metadata"`
			Spec podSpec `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

type podSpec struct {
	Grace           int  `json:"terminationGracePeriodSeconds"`
	Links           bool `json:"enableServiceLinks"`
	SecurityContext struct {
		RunAsNonRoot bool `json:"runAsNonRoot"`
		RunAsUser    int  `json:"runAsUser"`
	} `json:"securityContext"`
	InitContainers []podContainer `json:"initContainers"`
	Containers     []podContainer `json:"containers"`
}

type podContainer struct {
	Args            []string        `json:"args"`
	EnvFrom         json.RawMessage `json:"envFrom"`
	SecurityContext struct {
		ReadOnly bool  `json:"readOnlyRootFilesystem"`
		Escalate *bool `json:"allowPrivilegeEscalation"`
	} `json:"securityContext"`
	Ports []struct {
		Name          string `json:"name"`
		ContainerPort int    `json:"containerPort"`
	} `json:"ports"`
	Startup   probe `json:"startupProbe"`
	Liveness  probe `json:"livenessProbe"`
	Readiness probe `json:"readinessProbe"`
	Lifecycle struct {
		PreStop struct {
			Sleep struct {
				Seconds int `json:"seconds"`
			} `json:"sleep"`
		} `json:"preStop"`
	} `json:"lifecycle"`
}

type probe struct {
	Get struct {
		Path string `json:"path"`
		Port string `json:"port"`
	} `json:"httpGet"`
}

// TestKubernetes checks what a pod of the deployment runs.
func TestKubernetes(t *testing.T) {
	t.Parallel()
	files := manifests(t, output(t, repository, nil, "go", "run", kustomize, "build", "deploy/kubernetes"))
	secret := manifests(t, read(t, "deploy/kubernetes/secret.example.yaml"))["Secret"]
	settings := maps.Clone(files["ConfigMap"].Data)
	maps.Copy(settings, secret.StringData)
	pod := files["Deployment"].Spec.Template.Spec
	server, migrate := pod.Containers[0], pod.InitContainers[0]
	checkConfined(t, pod, theImage(t).uid)
	checkReached(t, files, server, settings["PORT"])
	grace := time.Duration(pod.Grace-server.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	runWithSettings(t, settings, migrate.Args, server.Args, grace)
}

// checkConfined checks that the pod has the rights that the image needs, and no
// more.
func checkConfined(t *testing.T, pod podSpec, uid int) {
	t.Helper()
	if !pod.SecurityContext.RunAsNonRoot || pod.SecurityContext.RunAsUser != uid || pod.Links {
		t.Errorf("the pod runs as %+v, the image as %d", pod.SecurityContext, uid)
	}
	for _, c := range append(pod.InitContainers, pod.Containers...) {
		if !c.SecurityContext.ReadOnly || c.SecurityContext.Escalate == nil || *c.SecurityContext.Escalate {
			t.Errorf("%v has more rights than it needs", c.Args)
		}
		if text := string(c.EnvFrom); !strings.Contains(text, "configMapRef") || !strings.Contains(text, "secretRef") {
			t.Errorf("%v does not have both sources of settings", c.Args)
		}
	}
}

// checkReached checks that the probes, the service and the disruption budget
// select the pods.
func checkReached(t *testing.T, files map[string]manifest, server podContainer, port string) {
	t.Helper()
	http := server.Ports[0].Name
	for _, p := range []struct {
		probe probe
		path  string
	}{{server.Startup, "/health"}, {server.Liveness, "/health"}, {server.Readiness, "/readyz"}} {
		if p.probe.Get.Path != p.path || p.probe.Get.Port != http {
			t.Errorf("a probe requests %+v, want %s", p.probe.Get, p.path)
		}
	}
	if got := files["Service"].Spec.Ports[0].TargetPort; got != http || strconv.Itoa(server.Ports[0].ContainerPort) != port {
		t.Errorf("the service sends to %q, the server listens at %s", got, port)
	}
	label := files["Deployment"].Spec.Template.Metadata.Labels["app.kubernetes.io/name"]
	for _, kind := range []string{"Service", "PodDisruptionBudget"} {
		if !strings.Contains(string(files[kind].Spec.Selector), label) || label == "" {
			t.Errorf("the %s does not select the pods", kind)
		}
	}
}

// manifests returns the documents of a YAML file by kind.
func manifests(t *testing.T, text string) map[string]manifest {
	t.Helper()
	found := map[string]manifest{}
	for document := range strings.SplitSeq(text, "\n---\n") {
		var m manifest
		parse(t, document, &m)
		found[m.Kind] = m
	}
	return found
}

// parse decodes YAML or JSON by the JSON names of the target.
func parse(t *testing.T, text string, target any) {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(asJSON, target)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// TestExampleSecretIsRefused checks that the server refuses the placeholders of
// the example secret and names their settings.
func TestExampleSecretIsRefused(t *testing.T) {
	t.Parallel()
	i := theImage(t)
	settings := manifests(t, read(t, "deploy/kubernetes/secret.example.yaml"))["Secret"].StringData
	c := i.start(t, ownNetwork, settings, "serve")
	if code := c.wait(patience); code != 1 || !strings.Contains(c.log.String(), "JWT_SECRET") {
		t.Errorf("exit code %d: %s", code, c.log.String())
	}
	if _, err := os.Stat(filepath.Join(c.data, "chatkit.db")); !os.IsNotExist(err) {
		t.Error("the server went on")
	}
}
