package config

// Setting describes one setting for people: the README's table and
// .env.example say the same.
type Setting struct {
	Name string
	// Default is the value that leaving the setting unset means. Empty:
	// there is none, and Meaning says what that does.
	Default string
	Meaning string
	// Secret says that the value is never shown.
	Secret bool
}

// All lists the settings in the order in which they are checked and told.
func All() []Setting {
	return append([]Setting{
		{Name: "DATABASE_URL", Secret: true, Meaning: "Where sessions are kept. Required, except in the demo. " +
			"`postgresql://user:password@host:5432/database`, or `sqlite:///data/chatkit.db` (relative to the working folder; " +
			"four slashes, `sqlite:////var/lib/chatkit.db`, for an absolute path)."},
		{Name: "DATABASE_MAX_CONNS", Default: "10", Meaning: "Most connections to PostgreSQL at once."},
		{Name: "JWT_SECRET", Secret: true, Meaning: "Signs and verifies tokens (HS256). Required, except in the demo and with JWKS_URL. " +
			"32 bytes or more, for example from `openssl rand -base64 48`. A comma list while you replace it: " +
			"the first signs, each verifies, and so none may hold a comma."},
		{Name: "JWKS_URL", Meaning: "Where your identity server's public keys are (its `jwks_uri`): its tokens are taken too " +
			"(RS256, ES256, EdDSA). https, but for a loopback host. Unset: tokens signed with JWT_SECRET alone."},
		{Name: "JWT_ISSUER", Meaning: "The identity server's name, the `iss` of its tokens, exactly. Required with JWKS_URL."},
		{Name: "JWT_AUDIENCE", Meaning: "This server's name at the identity server, the `aud` of tokens meant for it; a comma list " +
			"if it has several. Required with JWKS_URL."},
		{Name: "JWT_MAX_TTL", Default: "87600h", Meaning: "How far ahead the `exp` of a token may be. The default, ten years, refuses " +
			"times in milliseconds; shorter is safer."},
		{Name: "OPENROUTER_API_KEY", Secret: true, Meaning: "Key for the model service. Required, except in the demo. " +
			"Any word for a local model that asks for no key."},
		{Name: "OPENROUTER_BASE_URL", Default: "https://openrouter.ai/api/v1", Meaning: "Any OpenAI-compatible base URL: " +
			"OpenRouter, Ollama, llama.cpp, vLLM, a proxy."},
		{Name: "OPENROUTER_MODEL", Default: "~openai/gpt-mini-latest", Meaning: "The model that answers. The default is OpenRouter's alias " +
			"for OpenAI's newest small model, so it is never retired. Other aliases end in `-latest` too " +
			"(`~anthropic/claude-sonnet-latest`); a plain name (`openai/gpt-5-mini`) keeps one version until its provider retires it; " +
			"`openrouter/auto` chooses a model, and so a price, for each answer. Other services have names of their own: see their list of models."},
		{Name: "OPENROUTER_FALLBACK_MODELS", Meaning: "Models that OpenRouter tries in this order when the asked one does not answer: " +
			"a comma list or a JSON array of three at most. Unset: none."},
		{Name: "MODELS", Meaning: "Models that clients may pick: a comma list or a JSON array. OPENROUTER_MODEL is always one. " +
			"Unset: it alone."},
		{Name: "TITLE_MODEL", Meaning: "The model that writes a session's title after the first answer. " +
			"Unset: the title is cut from the first message, and no model is asked."},
		{Name: "OPENROUTER_MAX_TOKENS", Default: "8192", Meaning: "Most tokens of an answer, the model's reasoning included. " +
			"0 leaves the bound to the model service."},
		{Name: "OPENROUTER_SITE_URL", Meaning: "Sent upstream as `HTTP-Referer`. Unset: not sent."},
		{Name: "OPENROUTER_APP_NAME", Meaning: "Sent upstream as `X-Title`. Unset: not sent."},
		{Name: "UPSTREAM_FIRST_BYTE_TIMEOUT", Default: "60s", Meaning: "How long the model service may take to begin its answer."},
		{Name: "UPSTREAM_IDLE_TIMEOUT", Default: "60s", Meaning: "How long the model service may be silent within an answer; " +
			"its keep-alive comments count as life."},
		{Name: "SYSTEM_PROMPT", Default: defaultSystemPrompt, Meaning: "What the model is told first. Never taken from a client."},
		{Name: "SEND_LOCALE", Default: "true", Meaning: "Tell the model the user's locale: the language that `Accept-Language` prefers, " +
			"such as `fr-CA`. `false`: never."},
		{Name: "HOST", Default: "127.0.0.1", Meaning: "The address to listen on. `0.0.0.0` for all."},
		{Name: "PORT", Default: "8080", Meaning: "The port to listen on. 0 takes any free port."},
		{Name: "PUBLIC_URL", Meaning: "The server's URL as clients see it, told in the served document. " +
			"Unset: `http://HOST:PORT`."},
		{Name: "CORS_ORIGINS", Meaning: "Origins whose pages may call the server: a JSON array or a comma list of " +
			"`https://app.example.com`, or of an app's, such as `capacitor://localhost`. Unset: none. `*` is not taken."},
		{Name: "ALLOWED_IMAGE_DOMAINS", Meaning: "Host names from which the ChatKit component may show the images of a thread, sent as " +
			"`allowed_image_domains`: a comma list or a JSON array. Unset: not sent."},
		{Name: "TRUSTED_PROXIES", Meaning: "Comma list of addresses and CIDR ranges whose `X-Forwarded-For` is believed. " +
			"Unset: none."},
		{Name: "REDIS_URL", Secret: true, Meaning: "Redis, in which several replicas share their rate limit: " +
			"`redis://:password@host:6379/0`, or `rediss://` for TLS. Unset: each limits for itself."},
		{Name: "RATE_LIMIT_PER_MINUTE", Default: "30", Meaning: "Requests a minute for an address (IPv6: its /64). 0 turns the limit off."},
		{Name: "MAX_SESSIONS_PER_USER", Default: "10", Meaning: "Sessions a user may have."},
		{Name: "MAX_MESSAGE_CHARS", Default: "500", Meaning: "Longest user message, in characters."},
		{Name: "HISTORY_MAX_MESSAGES", Default: "40", Meaning: "Most messages of a session sent to the model, the newest."},
		{Name: "HISTORY_MAX_CHARS", Default: "32000", Meaning: "Most characters of history sent to the model. " +
			"Not less than MAX_MESSAGE_CHARS."},
		{Name: "MCP_SERVERS", Meaning: "Path of a JSON file with the MCP servers whose tools the model may call: [docs/tools.md](docs/tools.md). Unset: no tools."},
		{Name: "LOG_LEVEL", Default: "info", Meaning: "`debug`, `info`, `warn` or `error`."},
		{Name: "LOG_FORMAT", Meaning: "`text` or `json`. Unset: text on a terminal, else JSON."},
		{Name: "SHUTDOWN_TIMEOUT", Default: "20s", Meaning: "How long running answers get to end when the server stops."},
		{Name: "METRICS_ADDR", Meaning: "A listener of its own for `/metrics` (Prometheus): `127.0.0.1:9090`, or `:9090` for all addresses. " +
			"Unset: none."},
	}, attachmentSettings()...)
}

const defaultSystemPrompt = "You are a helpful assistant. Answer clearly and briefly, in the language of the user."
