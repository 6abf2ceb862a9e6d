package harness

import (
	"encoding/json"
	"net/http"
)

// ListModels sets the models that the upstream lists. Without it the upstream
// has no list.
func (u *Upstream) ListModels(names ...string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.models = names
}

// serveModels answers as OpenRouter's GET /models does.
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
		panic(err) // Strings always have a JSON form.
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(answer) // Writing fails only where the client has disconnected.
}
