import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './openapi';
import type { Sent } from './snippet';

/** A request and its outcome, for the list of requests. */
export interface Entry extends Sent {
  id: string;
  /** The name of the operation. */
  action: string;
  /** The HTTP status; 0 before the response. */
  status: number;
  outcome: 'pending' | 'answered' | 'stopped' | 'failed';
  took: number;
  /** The remaining requests of this minute; absent without a rate limit. */
  left?: number;
}

export interface ClientOptions {
  token: () => string;
  /** Called when the server refuses the token; returns a new one, or empty. */
  renew: () => Promise<string>;
  /** Called twice for each request: when it is sent and when its response begins. */
  onEntry: (entry: Entry) => void;
}

const actions: Record<string, string> = {
  'GET /api/v1/chatkit/sessions': 'List sessions',
  'POST /api/v1/chatkit/sessions': 'Create a session',
  'GET /api/v1/chatkit/sessions/{session_id}': 'Get a session',
  'DELETE /api/v1/chatkit/sessions/{session_id}': 'Delete a session',
  'POST /api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs': 'Send a message',
  'POST /api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs/{run_id}/cancel': 'Cancel a run',
  'POST /api/v1/chatkit attachments.create': 'Create an attachment',
  'POST /api/v1/chatkit attachments.delete': 'Delete an attachment',
  'PUT /api/v1/attachments/{attachment_id}/content': 'Upload a file',
  'GET /api/v1/attachments/{attachment_id}/content': 'Download a file',
};

function fileOf(request: Request): Sent['file'] {
  return request.method === 'PUT' ? { sent: request.headers.get('Content-Type') ?? '' } : 'received';
}

/** The type of a ChatKit protocol request; empty for other requests. */
function protocolType(body: string): string {
  return body ? (JSON.parse(body) as { type?: string }).type ?? '' : '';
}

/** Returns a client with the types of openapi.yaml for this page's own origin. */
export function newClient({ token, renew, onEntry }: ClientOptions) {
  const inFlight = new Map<string, { entry: Entry; begin: number }>();
  const watch: Middleware = {
    async onRequest({ id, request, schemaPath }) {
      request.headers.set('Authorization', `Bearer ${token()}`);
      const file = schemaPath.endsWith('/content') ? fileOf(request) : undefined;
      const body = file ? '' : await request.clone().text();
      const entry: Entry = {
        id,
        action: actions[[request.method, schemaPath, protocolType(body)].join(' ').trim()] ?? schemaPath,
        method: request.method,
        url: request.url,
        body,
        streams: schemaPath.endsWith('/runs'),
        ...(file ? { file } : {}),
        status: 0,
        outcome: 'pending',
        took: 0,
      };
      inFlight.set(id, { entry, begin: performance.now() });
      onEntry(entry);
      return request;
    },
    onResponse({ id, response }) {
      const left = response.headers.get('RateLimit-Remaining');
      settle(id, { status: response.status, outcome: 'answered', ...(left === null ? {} : { left: Number(left) }) });
    },
    onError({ id, error }) {
      const stopped = error instanceof DOMException && error.name === 'AbortError';
      settle(id, { outcome: stopped ? 'stopped' : 'failed' });
    },
  };
  function settle(id: string, change: Partial<Entry>) {
    const pending = inFlight.get(id);
    if (!pending) return;
    inFlight.delete(id);
    onEntry({ ...pending.entry, ...change, took: performance.now() - pending.begin });
  }
  async function fetchWithRenewal(request: Request): Promise<Response> {
    const retry = request.clone(); // A body can be sent only once.
    const response = await fetch(request);
    const renewed = response.status === 401 ? await renew() : '';
    if (!renewed) return response;
    retry.headers.set('Authorization', `Bearer ${renewed}`);
    return fetch(retry);
  }
  const client = createClient<paths>({
    baseUrl: location.origin, cache: 'no-store', credentials: 'omit', fetch: fetchWithRenewal,
  });
  client.use(watch);
  return client;
}

export type Client = ReturnType<typeof newClient>;
