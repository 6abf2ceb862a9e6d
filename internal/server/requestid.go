package server

import (
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/chatkit-rest/chatkit-rest/internal/header"
	"github.com/chatkit-rest/chatkit-rest/internal/telemetry"
)

// requestID gives each request a new id. An id that the client sends is not
// used: it could make lines of the log look like another client's.
func requestID(c *gin.Context) {
	id := uuid.NewString()
	c.Request = c.Request.WithContext(telemetry.WithRequestID(c.Request.Context(), id))
	c.Header(header.RequestID, id)
}
