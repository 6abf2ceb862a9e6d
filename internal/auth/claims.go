package auth

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Leeway is how far an issuer's clock may differ from this server's. It
	// applies to exp, nbf and iat alike.
	Leeway = 30 * time.Second
	// DefaultMaxTTL is how far ahead exp may be unless Options say otherwise.
	// It is long enough for every token made on purpose, and refuses an exp in
	// milliseconds, which would be good for 50,000 years.
	DefaultMaxTTL = 10 * 365 * 24 * time.Hour
)

// checkTimes validates exp, nbf and iat (RFC 7519, section 4.1) and returns
// exp. The error is an *InvalidTokenError, as it is for all functions here.
func checkTimes(claims jwt.MapClaims, maxTTL time.Duration) (time.Time, error) {
	now := time.Now()
	expires, ok, err := timeClaim(claims, "exp")
	switch {
	case err != nil:
		return time.Time{}, err
	case !ok:
		return time.Time{}, invalid("the token has no expiry (exp)")
	case !now.Before(expires.Add(Leeway)):
		return time.Time{}, invalid("the token has expired")
	case expires.After(now.Add(maxTTL)):
		return time.Time{}, invalid(fmt.Sprintf(
			"the token's expiry (exp) is more than %s ahead (JWT_MAX_TTL); exp is in seconds, not in milliseconds", maxTTL))
	}
	if err := checkStart(claims, "nbf", "the token is not valid yet (nbf)"); err != nil {
		return time.Time{}, err
	}
	return expires, checkStart(claims, "iat", "the token was issued in the future (iat)")
}

// checkStart refuses a token for the reason when the claim is in the future.
func checkStart(claims jwt.MapClaims, name, reason string) error {
	at, _, err := timeClaim(claims, name)
	if err != nil {
		return err
	}
	if at.After(time.Now().Add(Leeway)) {
		return invalid(reason)
	}
	return nil
}

// timeClaim reads a NumericDate (RFC 7519, section 2); ok is false when the
// token has no such claim.
func timeClaim(claims jwt.MapClaims, name string) (at time.Time, ok bool, err error) {
	switch value := claims[name].(type) {
	case nil:
		return time.Time{}, false, nil
	case float64:
		const most = 1e15 // seconds; larger values overflow a Time
		seconds, fraction := math.Modf(max(-most, min(most, value)))
		return time.Unix(int64(seconds), int64(fraction*float64(time.Second))), true, nil
	default:
		return time.Time{}, false, invalid("the token's " + name + " is not a number of seconds since 1970")
	}
}

// textClaim reads a claim that is a text; without the claim it is empty. A
// number is refused, although some issuers use their numeric user ids: JSON
// writes one number in several ways (42, 42.0, 4.2e1), and large ones lose
// digits on their way through JavaScript, so that two users could become one.
func textClaim(claims jwt.MapClaims, name string) (string, error) {
	switch value := claims[name].(type) {
	case nil:
		return "", nil
	case string:
		return value, nil
	case float64:
		return "", invalid("the token's " + name + ` is a number; it must be a text, as in "42"`)
	default:
		return "", invalid("the token's " + name + " is not a text")
	}
}

// checkAudience requires one of the audiences in aud.
func checkAudience(claims jwt.MapClaims, audiences []string) error {
	_, isNumber := claims["aud"].(float64) // which the library takes for none
	named, err := claims.GetAudience()
	if err != nil || isNumber {
		return invalid("the token's aud is neither a text nor a list of texts")
	}
	if !slices.ContainsFunc(named, func(name string) bool { return slices.Contains(audiences, name) }) {
		return invalid("the token's audience (aud) is not this server")
	}
	return nil
}

// userOf reads sub, which is the user's id.
func userOf(claims jwt.MapClaims) (string, error) {
	subject, err := textClaim(claims, "sub")
	if err != nil {
		return "", err
	}
	if err := checkSubject(subject); err != nil {
		return "", invalid(err.Error())
	}
	return subject, nil
}
