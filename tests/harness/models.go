package harness

import (
	"encoding/json"
	"net/http"
)

// ListModels sets the models that GET /models lists. Without it GET /models
// answers 404.
func (u *Upstream) ListModels(names ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.models = names
}

// serveModels serves GET /models.
func (u *Upstream) serveModels(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	names := u.models
	u.mu.Unlock()
	if names == nil {
		http.NotFound(w, r)
		return
	}
	type model struct {
		ID string `json:"id"`
	}
	var list struct {
		Data []model `json:"data"`
	}
	for _, name := range names {
		list.Data = append(list.Data, model{name})
	}
	answer, err := json.Marshal(list)
	if err != nil {
		panic(err) // Cannot happen: strings can be encoded.
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // Writing fails only if the client has disconnected.
}
