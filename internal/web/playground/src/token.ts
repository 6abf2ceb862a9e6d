// The token is kept in sessionStorage, which ends with this tab.
const key = 'chatkit.token';

export const page = {
  /** Whether the server is a demo, which gives this page a token. */
  demo: document.documentElement.dataset['demo'] === 'yes',
  /** The maximum number of characters in a message. */
  messageChars: Number(document.documentElement.dataset['messageChars']) || 500,
};

/** The saved token, or in a demo a new one; empty if there is none. */
export async function firstToken(): Promise<string> {
  const kept = sessionStorage.getItem(key);
  if (kept || !page.demo) return kept ?? '';
  return demoToken();
}

/** Fetches a token from the demo server; empty if the server refuses. */
export async function demoToken(): Promise<string> {
  try {
    const response = await fetch('/demo-token', { cache: 'no-store', credentials: 'omit' });
    if (!response.ok) return '';
    const answer = (await response.json()) as { token?: string };
    return answer.token ?? '';
  } catch {
    return '';
  }
}

/** Whether the demo's token is in use. Only pasted tokens are saved. */
export function isDemoToken(): boolean {
  return page.demo && !sessionStorage.getItem(key);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(key, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(key);
}

/** Extracts the token from pasted text, which may have line breaks from a terminal. */
export function tokenIn(pasted: string): string {
  return pasted.trim().replace(/^Bearer\s+/i, '').replace(/\s+/g, '');
}

/** Whether a text has only the characters of a JWT, so that it can be sent in a header. */
export function mayBeToken(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text);
}

/** The unverified subject of a token, only for display. */
export function subjectOf(token: string): string {
  try {
    const payload = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/');
    const bytes = Uint8Array.from(atob(payload), (c) => c.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes)) as { sub?: unknown };
    return typeof claims.sub === 'string' ? claims.sub : '';
  } catch {
    return '';
  }
}
