// A real identity server (the certified OpenID provider oidc-provider) on a
// loopback port. It reads its port and its private keys (a JWK Set) as JSON from
// standard input and prints a line when it listens.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const { port, jwks } = JSON.parse(readFileSync(0, 'utf8'));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks,
  cookies: { keys: ['only for tests'] },
  // Every login name is accepted and becomes the sub.
  findAccount: (_ctx, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  clients: [
    {
      client_id: 'backend',
      client_secret: 'backend-secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: 'client_secret_post',
    },
    {
      client_id: 'app',
      application_type: 'native',
      grant_types: ['authorization_code'],
      redirect_uris: ['http://127.0.0.1/callback'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      id_token_signed_response_alg: 'RS256',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      // The resource determines the algorithm, for example urn:chat:ES256.
      getResourceServerInfo: (_ctx, resource) => ({
        scope: 'chat',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 3600,
        jwt: { sign: { alg: resource.split(':').at(-1) } },
      }),
      useGrantedResource: () => true,
    },
  },
});

await once(provider.listen(port, '127.0.0.1'), 'listening');
console.log('listening');
