'use strict';

// The document names the server's public address. A page opened under another
// name of the same server (localhost, an address, a tunnel) may call its own
// origin alone, so that is where "Execute" goes.
function ownOrigin(response) {
  const path = new URL(response.url, location.href).pathname;
  if (response.ok && path === '/openapi.json') {
    const api = JSON.parse(response.text);
    api.servers = [{ url: location.origin, description: 'This server.' }];
    response.text = JSON.stringify(api);
  }
  return response;
}

window.ui = SwaggerUIBundle({
  dom_id: '#swagger-ui',
  url: '/openapi.json',
  responseInterceptor: ownOrigin,
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  // The token is typed once under Authorize and lives in this page only: a
  // reload forgets it. Kept in the browser's storage it would outlive the
  // visit, in reach of any script that ever runs on this origin.
  persistAuthorization: false,
  // Its validator is another host.
  validatorUrl: null,
});
