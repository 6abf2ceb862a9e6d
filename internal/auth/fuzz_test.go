package auth_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"

	"github.com/chatkit-rest/chatkit-rest/internal/auth"
)

// texts are all the reasons that a client can receive; none holds a part of a
// token.
func texts() []string {
	reasons := []string{
		"the token is longer than 8192 bytes",
		"the token is not a JWT",
		"the token is not signed with HS256",
		"the token is not signed with HS256, RS256, ES256, EdDSA",
		"the token's issuer (iss) is not the one whose tokens are taken here",
		"the token's audience (aud) is not this server",
		"the token does not name its key (kid)",
		"the token's key (kid) is not among the identity server's",
		"the token's algorithm (alg) is not the one of its key",
		"the token's signature does not match",
		"the token has no expiry (exp)",
		"the token has expired",
		"the token's expiry (exp) is more than 2562047h47m16.854775807s ahead (JWT_MAX_TTL); exp is in seconds, not in milliseconds",
		"the token's exp is not a number of seconds since 1970",
		"the token's nbf is not a number of seconds since 1970",
		"the token's iat is not a number of seconds since 1970",
		`the token's iss is a number; it must be a text, as in "42"`,
		"the token's iss is not a text",
		"the token's aud is neither a text nor a list of texts",
		`the token's sub is a number; it must be a text, as in "42"`,
		"the token's sub is not a text",
		"the token is not valid yet (nbf)",
		"the token was issued in the future (iat)",
		"the token has critical headers (crit), and none is supported",
		"the token's sub is missing or blank",
		"the token's sub is longer than 255 bytes",
		"the token's sub is not valid UTF-8",
		"the token's sub has a control character",
		"the request has more than one Authorization header",
		"the request has more than one auth-token cookie",
		"the Authorization header is not Bearer, a space and the token",
	}

	all := []string{auth.ErrNoToken.Error(), auth.ErrForbiddenOrigin.Error()}
	for _, reason := range reasons {
		all = append(all, "invalid token: "+reason)
	}

	return all
}

// isOurs checks a token without the library: three parts, alg HS256, our
// signature in its one spelling, a good sub.
func isOurs(token string) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}

	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(parts[0] + "." + parts[1]))

	if parts[2] != base64.RawURLEncoding.EncodeToString(mac.Sum(nil)) {
		return false
	}

	text, err := base64.RawURLEncoding.DecodeString(parts[0])
	if err != nil {
		return false
	}

	var header map[string]any

	return json.Unmarshal(text, &header) == nil && header["alg"] == "HS256"
}

func checkVerdict(t *testing.T, token string, p auth.Principal, err error) {
	t.Helper()

	if err != nil {
		if p != (auth.Principal{}) {
			t.Fatalf("a refused token gave the principal %+v", p)
		}

		if !slices.Contains(texts(), err.Error()) {
			t.Fatalf("the text %q is not one of the fixed ones", err)
		}

		return
	}

	if !isOurs(token) {
		t.Fatalf("a token that we did not sign passed: %q", token)
	}

	if strings.TrimSpace(p.UserID) == "" || len(p.UserID) > auth.MaxSubjectBytes || !utf8.ValidString(p.UserID) {
		t.Fatalf("a bad sub passed: %q", p.UserID)
	}
}

func FuzzVerify(f *testing.F) {
	const header, payload = `{"alg":"HS256","typ":"JWT"}`, `{"sub":"alice","exp":9999999999}`

	good := signRaw(header, payload, secret)
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add(good + "=")
	f.Add(strings.ToUpper(good))
	f.Add(otherFirst(good))
	f.Add(signRaw(header, payload, otherSecret))
	f.Add(signRaw(`{"alg":"none"}`, payload, secret))
	f.Add(signRaw(`{"alg":"HS384"}`, payload, secret))
	f.Add(signRaw(header, `{"sub":"","exp":1e300}`, secret))
	f.Add("..")
	f.Add("")

	h := newHS256(f)

	f.Fuzz(func(t *testing.T, token string) {
		p, err := h.Verify(t.Context(), token)
		checkVerdict(t, token, p, err)
	})
}

func otherFirst(token string) string {
	return "f" + token[1:]
}

// FuzzVerifySigned reaches what only a good signature reaches.
func FuzzVerifySigned(f *testing.F) {
	f.Add(`{"alg":"HS256"}`, `{"sub":"alice","exp":9999999999}`)
	f.Add(`{"alg":"HS256","crit":["x"]}`, `{"sub":"alice","exp":9999999999}`)
	f.Add(`{"alg":"HS256","alg":"none"}`, `{"sub":"a","sub":"b","exp":9999999999.5}`)
	f.Add(`{"alg":["HS256"]}`, `{"sub":null,"exp":-1e308,"nbf":1e308,"iat":null,"aud":[1]}`)
	f.Add(`null`, `{"SUB":"a\ud800","exp":9999999999}`)
	f.Add(`[]`, "\x00\xff")

	h := newHS256(f)

	f.Fuzz(func(t *testing.T, header, payload string) {
		token := signRaw(header, payload, secret)
		p, err := h.Verify(t.Context(), token)
		checkVerdict(t, token, p, err)
	})
}

// FuzzVerifyIdentity signs what it is given with keys of an identity server:
// nothing but the right algorithm for the key, the issuer and the audience
// passes.
func FuzzVerifyIdentity(f *testing.F) {
	const payload = `{"sub":"alice","exp":9999999999,"iss":"https://id.example.com/","aud":"chat"}`

	f.Add("ES256", `{"alg":"ES256","kid":"e1"}`, payload)
	f.Add("EdDSA", `{"alg":"EdDSA","kid":"d1"}`, payload)
	f.Add("EdDSA", `{"alg":"ES256","kid":"d1"}`, payload)
	f.Add("ES256", `{"alg":"HS256","kid":"e1"}`, payload)
	f.Add("ES256", `{"alg":"ES256","kid":["e1"],"kid":"e1","crit":[]}`, payload)
	f.Add("ES256", `{"alg":"ES256","kid":"x","jwk":{},"jku":"https://evil.example.com"}`, payload)
	f.Add("ES256", `{"alg":"ES256","kid":"e1"}`, `{"sub":"alice","exp":9999999999,"iss":["https://id.example.com/"],"aud":["x","chat",1]}`)

	server := &identityServer{keys: jwks("RS256", "ES256", "EdDSA")}
	v, _ := newIdentity(f, server, []byte(secret))

	f.Fuzz(func(t *testing.T, with, header, payload string) {
		signer, ok := signers()[with]
		if !ok {
			return
		}

		enc := base64.RawURLEncoding
		text := enc.EncodeToString([]byte(header)) + "." + enc.EncodeToString([]byte(payload))

		signature, err := signer.method.Sign(text, signer.key)
		if err != nil {
			t.Fatal(err)
		}

		token := text + "." + enc.EncodeToString(signature)
		p, err := v.Verify(t.Context(), token)
		if err != nil {
			checkVerdict(t, token, p, err)

			return
		}

		var head, claims map[string]any
		if json.Unmarshal([]byte(header), &head) != nil || json.Unmarshal([]byte(payload), &claims) != nil {
			t.Fatalf("%s %s passed", header, payload)
		}

		if head["alg"] != with || head["kid"] != signer.kid {
			t.Fatalf("%s passed with the key %s", header, signer.kid)
		}
	})
}

// FuzzKeySet reads whatever an identity server may answer: it never panics,
// and no token passes by a key that is not ours.
func FuzzKeySet(f *testing.F) {
	for _, name := range []string{"RS256", "ES256", "EdDSA"} {
		text, err := json.Marshal(jose.JSONWebKeySet{Keys: jwks(name)})
		if err != nil {
			f.Fatal(err)
		}

		f.Add(string(text), "kid")
	}

	f.Add(`{"keys":[{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"b"}]}`, "b")
	f.Add(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"","kid":"c"},{"kty":"oct","k":"c2VjcmV0","kid":"d"}]}`, "d")
	f.Add(`{"keys":{}}`, "")

	unknown := signer{kid: "", method: jwt.SigningMethodEdDSA, key: ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))}

	f.Fuzz(func(t *testing.T, answer, kid string) {
		server := &identityServer{answer: &answerOf{status: http.StatusOK, body: answer}}
		v, _ := newIdentity(t, server)
		unknown := unknown
		unknown.kid = kid

		p, err := v.Verify(t.Context(), unknown.sign(t, nil))
		if err == nil {
			t.Fatalf("a token of an unknown key passed as %+v with the keys %s", p, answer)
		}

		if !errors.Is(err, auth.ErrKeysUnavailable) && !slices.Contains(texts(), err.Error()) &&
			err.Error() != "invalid token: the token is not signed with RS256, ES256, EdDSA" {
			t.Fatalf("got %v", err)
		}
	})
}

func FuzzAuthenticate(f *testing.F) {
	good := signRaw(`{"alg":"HS256"}`, `{"sub":"alice","exp":9999999999}`, secret)

	f.Add("POST", "api.example.com", "Bearer "+good, "", "")
	f.Add("POST", "api.example.com", "", "auth-token="+good, "https://api.example.com")
	f.Add("POST", "api.example.com:80", "", "auth-token="+good, "http://API.example.com")
	f.Add("DELETE", "api.example.com", "", "auth-token="+good, allowedOrigin)
	f.Add("DELETE", "api.example.com", "", "auth-token="+good, "null")
	f.Add("GET", "api.example.com", "", `a=b; auth-token="`+good+`"`, "")
	f.Add("POST", "", "", "auth-token="+good, "http://:80")
	f.Add("PUT", "a", "Basic x", "auth-token="+good, "https://a")

	g := newAuthenticator(f)

	f.Fuzz(func(t *testing.T, method, host, authorization, cookie, origin string) {
		request := func(cookie string) *http.Request {
			r := &http.Request{Method: method, Host: host, Header: http.Header{}}
			setIfAny(r.Header, "Authorization", authorization)
			setIfAny(r.Header, "Cookie", cookie)
			setIfAny(r.Header, "Origin", origin)

			return r
		}

		r := request(cookie)
		p, err := g.Authenticate(r)

		if authorization != "" {
			fields := strings.Fields(authorization)
			checkVerdict(t, lastWord(fields), p, err)

			if q, _ := g.Authenticate(request("")); q != p {
				t.Fatalf("beside an Authorization header the cookie made %+v of %+v", p, q)
			}

			return
		}

		cookies := r.CookiesNamed(auth.CookieName)
		if len(cookies) != 1 || cookies[0].Value == "" {
			if err == nil || errors.Is(err, auth.ErrForbiddenOrigin) {
				t.Fatalf("no single token, and yet %+v, %v", p, err)
			}

			return
		}

		checkVerdict(t, cookies[0].Value, p, err)

		safe := slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, method)
		if err == nil && !safe && !ownOrAllowed(host, origin) {
			t.Fatalf("%s of %q with the cookie passed for %q", method, origin, host)
		}
	})
}

func setIfAny(h http.Header, name, value string) {
	if value != "" {
		h.Set(name, value)
	}
}

// lastWord is the last word of the header: what a Bearer token would be.
func lastWord(fields []string) string {
	if len(fields) == 0 {
		return ""
	}

	return fields[len(fields)-1]
}

// ownOrAllowed spells out every origin that may pass.
func ownOrAllowed(host, origin string) bool {
	origin, host = strings.ToLower(origin), strings.ToLower(host)
	if origin == allowedOrigin || origin == allowedOrigin+":443" {
		return true
	}

	bare80, bare443 := strings.TrimSuffix(host, ":80"), strings.TrimSuffix(host, ":443")

	return slices.Contains([]string{
		"http://" + bare80, "http://" + bare80 + ":80",
		"https://" + bare443, "https://" + bare443 + ":443",
	}, origin)
}
