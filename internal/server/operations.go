package server

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// The ids of requests that are no operation of the document.
const (
	pageOperation = "page"
	noOperation   = "none"
)

// operation is what the metrics record of a request.
type operation struct {
	// id is the document's operationId or one of the constants above, so that the
	// number of ids is bounded.
	id string
	// streams says that every successful answer is a stream of events.
	streams bool
}

// operations has the document's operations by gin's pattern of the path, then by
// method.
type operations map[string]map[string]operation

func newOperations(check *checker) operations {
	found := make(operations)
	for _, route := range check.routes {
		path := ginPath(route.Path)
		if found[path] == nil {
			found[path] = make(map[string]operation)
		}
		ok := route.Operation.Responses.Status(http.StatusOK)
		found[path][route.Method] = operation{
			id:      route.Operation.OperationID,
			streams: ok != nil && len(ok.Value.Content) == 1 && ok.Value.Content.Get("text/event-stream") != nil,
		}
	}
	return found
}

func (o operations) of(c *gin.Context) operation {
	path := c.FullPath()
	if path == "" {
		return operation{id: noOperation}
	}
	method := c.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if op, ok := o[path][method]; ok {
		return op
	}
	return operation{id: pageOperation}
}
