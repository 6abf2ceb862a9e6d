package server

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

const requestIDHeader = "X-Request-Id"

// requestID gives each request an id of ours: a client's own could forge
// another's lines in the log.
func requestID(c *gin.Context) {
	id := uuid.NewString()
	c.Request = c.Request.WithContext(telemetry.WithRequestID(c.Request.Context(), id))
	c.Header(requestIDHeader, id)
}
