'use strict';

// The document names the server's public URL. A page that is open under another
// name of the same server (localhost, an IP address, a tunnel) may only call its
// own origin, so "Execute" uses that.
function ownOrigin(response) {
  response.text = response.text.replace(/^servers:\n  - url: .*$/m, `servers:\n  - url: ${JSON.stringify(location.origin)}`);
}

// The ids in the document are examples that do not exist. Once this page has
// created or listed an object, its id replaces them in every parameter field.
function fillIn(id, ...names) {
  const api = ui.specSelectors.specJson().toJS();
  for (const [path, item] of Object.entries(api.paths)) {
    for (const method of Object.keys(item).filter((key) => key !== 'parameters')) {
      for (const name of names) {
        if (path.includes(`{${name}}`)) {
          ui.specActions.changeParam([path, method], name, 'path', id, false);
        }
      }
    }
  }
}

const protocol = '/api/v1/chatkit';
const sessions = `${protocol}/sessions`;
let known = '';

// A file is created by one operation and uploaded by another.
function fillInAttachmentId({ headers, text }) {
  if (!headers['content-type']?.startsWith('application/json')) return;
  const answer = JSON.parse(text);
  if (answer.upload_descriptor) fillIn(answer.id, 'attachment_id');
}

function afterResponse(response) {
  const path = new URL(response.url, location.href).pathname;
  if (!response.ok) return response;
  if (path === '/openapi.yaml') ownOrigin(response);
  if (path === protocol) fillInAttachmentId(response);
  if (response.headers['x-run-id']) fillIn(response.headers['x-run-id'], 'run_id');
  if (path !== sessions) return response;
  const { data } = JSON.parse(response.text);
  const id = Array.isArray(data) ? known || data[0]?.id : data.id;
  if (id && id !== known) {
    known = id;
    fillIn(id, 'session_id', 'thread_id');
  }
  return response;
}

window.ui = SwaggerUIBundle({
  dom_id: '#swagger-ui',
  // YAML, since it keeps the order of the operations.
  url: '/openapi.yaml',
  responseInterceptor: afterResponse,
  deepLinking: true,
  displayOperationId: true,
  displayRequestDuration: true,
  tryItOutEnabled: true,
  defaultModelsExpandDepth: 0,
  // The token is entered under Authorize and kept only until the page is
  // reloaded. In the browser's storage every later script of this origin could
  // read it.
  persistAuthorization: false,
  // The default validator is on another host.
  validatorUrl: null,
});

// Swagger UI has controls without an accessible name, links inside of buttons, and
// examples that cannot be scrolled by keyboard.
const names = {
  'select#servers': 'Server',
  'select.content-type, .content-type-wrapper select': 'Media type',
  'select.examples-select-element': 'Example',
  'select': 'Choice',
  'textarea.body-param__text': 'Request body',
  'textarea.curl': 'The request as curl',
  'input[type=text]': 'Value',
  'button.close-modal': 'Close',
};

function makeReachable(root) {
  for (const [selector, name] of Object.entries(names)) {
    for (const element of root.querySelectorAll(`${selector}:not([aria-label])`)) {
      const labelled = [...element.labels].some((label) => !label.contains(element));
      if (!labelled) element.setAttribute('aria-label', name);
    }
  }
  // The button's text is more specific than this label.
  for (const button of root.querySelectorAll('[aria-label="Apply credentials"]')) button.removeAttribute('aria-label');
  for (const link of root.querySelectorAll('button a[href]')) link.removeAttribute('href');
  for (const example of root.querySelectorAll('pre:not([tabindex])')) example.tabIndex = 0;
}

const swagger = document.getElementById('swagger-ui');
let scheduled = false;
new MutationObserver(() => {
  if (scheduled) return;
  scheduled = true;
  requestAnimationFrame(() => {
    scheduled = false;
    makeReachable(swagger);
  });
}).observe(swagger, { childList: true, subtree: true });

const themes = ['system', 'light', 'dark'];
const button = document.getElementById('theme');
function showTheme() {
  button.textContent = `Colours: ${theme.chosen()}`;
}
button.addEventListener('click', () => {
  theme.choose(themes[(themes.indexOf(theme.chosen()) + 1) % themes.length]);
  showTheme();
});
showTheme();
