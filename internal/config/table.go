package config

// Setting documents one setting. The tables of docs/settings.md and
// docs/observing.md and the file .env.example have the same texts.
type Setting struct {
	Name string
	// Default is the value of an unset setting. If it is empty, Meaning says
	// what an unset setting does.
	Default string
	Meaning string
	// Secret is true if the value must never be shown.
	Secret bool
}

// All returns the settings in the order in which they are checked and
// documented. [TracingSettings] returns those of OpenTelemetry.
func All() []Setting {
	return append([]Setting{
		{Name: "DATABASE_URL", Secret: true, Meaning: "Where sessions are stored. Required, except in the demo. " +
			"`postgresql://user:password@host:5432/database`, or `sqlite:///data/chatkit.db` (relative to the working folder; " +
			"four slashes, `sqlite:////var/lib/chatkit.db`, for an absolute path)."},
		{Name: "DATABASE_MAX_CONNS", Default: "10", Meaning: "Maximum number of connections to PostgreSQL."},
		{Name: "JWT_SECRET", Secret: true, Meaning: "Signs and verifies tokens (HS256). Required, except in the demo and with JWKS_URL. " +
			"At least 32 bytes, for example from `openssl rand -base64 48`. A comma-separated list while you replace it: " +
			"the first secret signs, all of them verify; a secret cannot contain a comma."},
		{Name: "JWKS_URL", Meaning: "URL of your identity server's public keys (its `jwks_uri`). Its tokens are accepted too " +
			"(RS256, ES256, EdDSA). Must be https, except for a loopback host. Unset: only tokens signed with JWT_SECRET are accepted."},
		{Name: "JWT_ISSUER", Meaning: "The exact `iss` of the identity server's tokens. Required with JWKS_URL."},
		{Name: "JWT_AUDIENCE", Meaning: "The `aud` of the identity server's tokens that are meant for this server; a comma-separated list " +
			"if there are several. Required with JWKS_URL."},
		{Name: "JWT_MAX_TTL", Default: "87600h", Meaning: "How far in the future the `exp` of a token may be. The default, ten years, rejects " +
			"times in milliseconds; a shorter time is safer."},
		{Name: "OPENROUTER_API_KEY", Secret: true, Meaning: "API key of the model service. Required, except in the demo. " +
			"Set any word for a local model that needs no key."},
		{Name: "OPENROUTER_BASE_URL", Default: "https://openrouter.ai/api/v1", Meaning: "Any OpenAI-compatible base URL: " +
			"OpenRouter, Ollama, llama.cpp, vLLM, a proxy."},
		{Name: "OPENROUTER_MODEL", Default: "~openai/gpt-mini-latest", Meaning: "The model that answers. The default is OpenRouter's alias " +
			"for OpenAI's newest small model, so it is never retired. Other aliases also end in `-latest` " +
			"(`~anthropic/claude-sonnet-latest`); a plain name (`openai/gpt-5-mini`) keeps one version until its provider retires it; " +
			"`openrouter/auto` chooses a model, and so a price, for each answer. Other services have other names: see their list of models."},
		{Name: "OPENROUTER_FALLBACK_MODELS", Meaning: "Models that OpenRouter tries, in this order, when the requested model does not answer: " +
			"a comma-separated list or a JSON array of at most three. Unset: none."},
		{Name: "MODELS", Meaning: "Models that clients may choose: a comma-separated list or a JSON array. OPENROUTER_MODEL is always included. " +
			"Unset: only OPENROUTER_MODEL."},
		{Name: "TITLE_MODEL", Meaning: "The model that writes a session's title after the first answer. " +
			"Unset: the title is cut from the first message, and no model is called."},
		{Name: "OPENROUTER_MAX_TOKENS", Default: "8192", Meaning: "Maximum number of tokens in an answer, including the model's reasoning. " +
			"0: the model service's own limit applies."},
		{Name: "OPENROUTER_SITE_URL", Meaning: "Sent upstream as `HTTP-Referer`. Unset: not sent."},
		{Name: "OPENROUTER_APP_NAME", Meaning: "Sent upstream as `X-Title`. Unset: not sent."},
		{Name: "UPSTREAM_FIRST_BYTE_TIMEOUT", Default: "60s", Meaning: "How long the model service may take to start its answer."},
		{Name: "UPSTREAM_IDLE_TIMEOUT", Default: "60s", Meaning: "How long the model service may send nothing in the middle of an answer; " +
			"its keep-alive comments count as data."},
		{Name: "SYSTEM_PROMPT", Default: defaultSystemPrompt, Meaning: "The system prompt that each request to the model starts with. Clients cannot change it."},
		{Name: "SEND_LOCALE", Default: "true", Meaning: "Send the user's locale to the model: the preferred language of `Accept-Language`, " +
			"such as `fr-CA`. `false`: do not send it."},
		{Name: "HOST", Default: "127.0.0.1", Meaning: "The address to listen on. `0.0.0.0`: all addresses."},
		{Name: "PORT", Default: "8080", Meaning: "The port to listen on. 0: any free port."},
		{Name: "PUBLIC_URL", Meaning: "The server's URL as clients see it, stated in the served OpenAPI document. " +
			"Unset: `http://HOST:PORT`."},
		{Name: "CORS_ORIGINS", Meaning: "Origins whose pages may call the server: a JSON array or a comma-separated list, such as " +
			"`https://app.example.com` or, for an app, `capacitor://localhost`. Unset: none. `*` is not accepted."},
		{Name: "ALLOWED_IMAGE_DOMAINS", Meaning: "Host names from which the ChatKit component may show the images of a thread, sent as " +
			"`allowed_image_domains`: a comma-separated list or a JSON array. Unset: not sent."},
		{Name: "TRUSTED_PROXIES", Meaning: "Comma-separated list of addresses and CIDR ranges of the proxies whose `X-Forwarded-For` is trusted. " +
			"Unset: none."},
		{Name: "REDIS_URL", Secret: true, Meaning: "The Redis server through which several replicas share their rate limit and the events of runs: " +
			"`redis://:password@host:6379/0`, or `rediss://` for TLS. Unset: each replica counts by itself, and a run can be followed at the replica that executes it."},
		{Name: "RATE_LIMIT_PER_MINUTE", Default: "30", Meaning: "Maximum number of requests per minute from one address (IPv6: from its /64). 0: no limit."},
		{Name: "MAX_SESSIONS_PER_USER", Default: "10", Meaning: "Maximum number of sessions of a user."},
		{Name: "MAX_MESSAGE_CHARS", Default: "500", Meaning: "Maximum length of a user's message, in characters."},
		{Name: "HISTORY_MAX_MESSAGES", Default: "40", Meaning: "Maximum number of messages of a session that are sent to the model, newest first."},
		{Name: "HISTORY_MAX_CHARS", Default: "32000", Meaning: "Maximum number of characters of history that are sent to the model. " +
			"At least MAX_MESSAGE_CHARS."},
		{Name: "RUN_MAX_SECONDS", Default: "1800", Meaning: "How long a run may take, in seconds. " +
			"A run that takes longer ends in an error, and the part of the answer so far is kept."},
		{Name: "RUN_LOG_TTL", Default: "10m", Meaning: "How long the events of a run can be followed after its end."},
		{Name: "RUN_LOG_MAX_BYTES", Default: "67108864", Meaning: "Maximum memory of the events of all runs that have ended, in bytes, about. " +
			"The oldest are dropped first; the events of a run that has not ended are never dropped."},
		{Name: "MCP_SERVERS", Meaning: "Path of a JSON file with the MCP servers whose tools the model may call, see docs/tools.md. Unset: no tools."},
		{Name: "LOG_LEVEL", Default: "info", Meaning: "`debug`, `info`, `warn` or `error`."},
		{Name: "LOG_FORMAT", Meaning: "`text` or `json`. Unset: text on a terminal, otherwise JSON."},
		{Name: "SHUTDOWN_TIMEOUT", Default: "20s", Meaning: "How long running answers may continue when the server stops."},
		{Name: "METRICS_ADDR", Meaning: "The address of a separate listener for `/metrics` (Prometheus): `127.0.0.1:9090`, or `:9090` for all addresses. " +
			"Unset: no metrics."},
	}, attachmentSettings()...)
}

const defaultSystemPrompt = "You are a helpful assistant. Answer clearly and briefly, in the language of the user."
