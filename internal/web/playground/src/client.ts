import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './api';
import type { Sent } from './snippet';

/** A request and what came of it, for the list of requests. */
export interface Entry extends Sent {
  id: string;
  /** What the request does, in words. */
  action: string;
  /** 0 while there is no answer. */
  status: number;
  outcome: 'pending' | 'answered' | 'stopped' | 'failed';
  took: number;
  /** How many requests are left this minute; absent without a limit. */
  left?: number;
}

export interface ClientOptions {
  token: () => string;
  /** Asked when the server takes the token no more: another one, or empty. */
  renew: () => Promise<string>;
  /** Told of each request twice: when it leaves and when its answer begins. */
  onEntry: (entry: Entry) => void;
}

const actions: Record<string, string> = {
  'GET /api/v1/chatkit/sessions': 'List sessions',
  'POST /api/v1/chatkit/sessions': 'Create a session',
  'GET /api/v1/chatkit/sessions/{session_id}': 'Get a session',
  'DELETE /api/v1/chatkit/sessions/{session_id}': 'Delete a session',
  'POST /api/v1/chatkit/sessions/{session_id}/threads/{thread_id}/runs': 'Send a message',
  'POST /api/v1/chatkit attachments.create': 'Announce a file',
  'POST /api/v1/chatkit attachments.delete': 'Delete a file',
  'PUT /api/v1/attachments/{attachment_id}/content': 'Upload a file',
  'GET /api/v1/attachments/{attachment_id}/content': 'Download a file',
};

function fileOf(request: Request): Sent['file'] {
  return request.method === 'PUT' ? { sent: request.headers.get('Content-Type') ?? '' } : 'received';
}

/** What a request of the ChatKit protocol asks for; the others have no type. */
function protocolType(body: string): string {
  return body ? (JSON.parse(body) as { type?: string }).type ?? '' : '';
}

/** The client that openapi.yaml's types make, on this page's own origin. */
export function newClient({ token, renew, onEntry }: ClientOptions) {
  const under = new Map<string, { entry: Entry; begin: number }>();
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
      under.set(id, { entry, begin: performance.now() });
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
    const one = under.get(id);
    if (!one) return;
    under.delete(id);
    onEntry({ ...one.entry, ...change, took: performance.now() - one.begin });
  }
  async function fetchRenewing(request: Request): Promise<Response> {
    const again = request.clone(); // its body can be sent once
    const response = await fetch(request);
    const renewed = response.status === 401 ? await renew() : '';
    if (!renewed) return response;
    again.headers.set('Authorization', `Bearer ${renewed}`);
    return fetch(again);
  }
  const client = createClient<paths>({
    baseUrl: location.origin, cache: 'no-store', credentials: 'omit', fetch: fetchRenewing,
  });
  client.use(watch);
  return client;
}

export type Client = ReturnType<typeof newClient>;
