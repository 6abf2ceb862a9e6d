package server

import (
	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/internal/locale"
)

// readLocale puts the locale that the caller prefers into the request's context.
func readLocale(c *gin.Context) {
	languages := c.Request.Header.Values("Accept-Language")
	if len(languages) == 0 {
		return
	}
	if tag := locale.Preferred(languages); tag != "" {
		c.Request = c.Request.WithContext(locale.WithTag(c.Request.Context(), tag))
	}
}
