package rest

import (
	"context"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
)

// GetHealth reports that the process runs; it checks nothing.
func (h *Handler) GetHealth(context.Context, api.GetHealthRequestObject) (api.GetHealthResponseObject, error) {
	return api.GetHealth200JSONResponse{Status: api.HealthStatusHealthy}, nil
}

// GetReadiness reports whether the server can serve requests.
func (h *Handler) GetReadiness(
	ctx context.Context, _ api.GetReadinessRequestObject,
) (api.GetReadinessResponseObject, error) {
	ready := h.Ready(ctx)
	checks := api.ReadinessChecks{Database: toAPICheck(ready.Database), Migrations: toAPICheck(ready.Migrations)}
	if ready.RateLimit != "" {
		checks.RateLimit = &ready.RateLimit
	}
	if checks.Database == api.ReadinessCheckFailed || checks.Migrations == api.ReadinessCheckFailed {
		return api.GetReadiness503JSONResponse{Status: api.ReadinessStatusUnavailable, Checks: checks}, nil
	}
	return api.GetReadiness200JSONResponse{Status: api.ReadinessStatusReady, Checks: checks}, nil
}

func toAPICheck(err error) api.ReadinessCheck {
	if err != nil {
		return api.ReadinessCheckFailed
	}
	return api.ReadinessCheckOK
}
