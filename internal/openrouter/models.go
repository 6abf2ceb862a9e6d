package openrouter

import (
	"context"
	"encoding/json"
)

// maxModelsAnswer bounds the list of models; OpenRouter's is below 1 MB.
const maxModelsAnswer = 16 << 20

// Models returns the names of the models that upstream lists, or nil if it has no
// list.
//
// It returns a *chat.UpstreamError as CheckKey does.
func (c *Client) Models(ctx context.Context) ([]string, error) {
	call, cancel := context.WithTimeoutCause(ctx, c.options.FirstByteTimeout, errFirstByte)
	defer cancel()
	answer, err := c.get(call, "models", maxModelsAnswer)
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, convertError(ctx, call, err)
	}
	var list struct {
		Data []struct {
			ID string `json:"id"`
		} `json:"data"`
	}
	if json.Unmarshal(answer, &list) != nil {
		return nil, convertError(ctx, call, broken(errNotProtocol))
	}
	names := []string{}
	for _, model := range list.Data {
		if model.ID != "" {
			names = append(names, model.ID)
		}
	}
	return names, nil
}
