'use strict';

// The document names the server's public address. A page opened under another
// name of the same server (localhost, an address, a tunnel) may call its own
// origin alone, so that is where "Execute" goes.
function ownOrigin(response) {
  response.text = response.text.replace(/^servers:\n  - url: .*$/m, `servers:\n  - url: ${JSON.stringify(location.origin)}`);
}

// The ids in the document are examples of what nobody has. Once this page has
// made or listed one, its id stands in every field that asks for one.
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

// A file is announced by one operation and uploaded by another.
function fillInAttachment({ headers, text }) {
  if (!headers['content-type']?.startsWith('application/json')) return;
  const answer = JSON.parse(text);
  if (answer.upload_descriptor) fillIn(answer.id, 'attachment_id');
}

function afterAnswer(response) {
  const path = new URL(response.url, location.href).pathname;
  if (!response.ok) return response;
  if (path === '/openapi.yaml') ownOrigin(response);
  if (path === protocol) fillInAttachment(response);
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
  // Not the JSON: its parts have no order, these stand as they were written.
  url: '/openapi.yaml',
  responseInterceptor: afterAnswer,
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

// Swagger UI leaves some of its controls without a name, puts links into
// buttons and hides the end of long examples from the keyboard.
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
  // Its text says more than this name.
  for (const button of root.querySelectorAll('[aria-label="Apply credentials"]')) button.removeAttribute('aria-label');
  for (const link of root.querySelectorAll('button a[href]')) link.removeAttribute('href');
  for (const example of root.querySelectorAll('pre:not([tabindex])')) example.tabIndex = 0;
}

const swagger = document.getElementById('swagger-ui');
let due = false;
new MutationObserver(() => {
  if (due) return;
  due = true;
  requestAnimationFrame(() => {
    due = false;
    makeReachable(swagger);
  });
}).observe(swagger, { childList: true, subtree: true });

const themes = ['system', 'light', 'dark'];
const button = document.getElementById('theme');
function tellTheme() {
  button.textContent = `Colours: ${theme.chosen()}`;
}
button.addEventListener('click', () => {
  theme.choose(themes[(themes.indexOf(theme.chosen()) + 1) % themes.length]);
  tellTheme();
});
tellTheme();
