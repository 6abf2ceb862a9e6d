package auth

// ForgetTokens empties the cache of verified tokens.
func (v *JWT) ForgetTokens() { v.cache = tokenCache{} }
