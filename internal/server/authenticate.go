package server

import (
	"errors"
	"log/slog"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chatkit-rest/chatkit-rest/gen/api"
	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// authenticate refuses requests to the API's operations that have no principal. An
// unknown path needs none. A signed URL is checked by its operation, whatever
// token the request has.
func authenticate(authenticator *auth.Authenticator, check *checker, logger *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !isAPI(c) || c.FullPath() == "" || isSigned(c) && check.takesSignedURLs(c) {
			return
		}
		principal, err := authenticator.Authenticate(c.Request)
		if err == nil {
			c.Request = c.Request.WithContext(auth.WithPrincipal(c.Request.Context(), principal))
			return
		}
		refuse(c, logger, err)
	}
}

func refuse(c *gin.Context, logger *slog.Logger, err error) {
	var invalid *auth.InvalidTokenError
	switch {
	case errors.Is(err, auth.ErrForbiddenOrigin):
		fail(c, http.StatusForbidden, api.ErrorCodeForbidden, "This origin may not use the cookie: "+
			"send the token in the Authorization header, or add the origin to CORS_ORIGINS.")
	case errors.Is(err, auth.ErrNoToken):
		c.Header("WWW-Authenticate", "Bearer")
		fail(c, http.StatusUnauthorized, api.ErrorCodeUnauthorized,
			"A token is needed: send it as Authorization: Bearer <JWT>, or in the cookie auth-token.")
	case errors.As(err, &invalid):
		c.Header("WWW-Authenticate", "Bearer")
		fail(c, http.StatusUnauthorized, api.ErrorCodeUnauthorized, "The token was refused: "+invalid.Reason+".")
	default:
		logger.ErrorContext(c.Request.Context(), "a token could not be verified", "error", err)
		fail(c, http.StatusServiceUnavailable, api.ErrorCodeServiceUnavailable,
			"Tokens cannot be checked at the moment; try again shortly.")
	}
}
