// The token lives in this tab alone: sessionStorage ends with it.
const key = 'chatkit.token';

export const page = {
  /** Whether the server is a demo that hands this page a token. */
  demo: document.documentElement.dataset['demo'] === 'yes',
  /** The most characters of a message. */
  messageChars: Number(document.documentElement.dataset['messageChars']) || 500,
};

/** The token to begin with, or empty. */
export async function firstToken(): Promise<string> {
  const kept = sessionStorage.getItem(key);
  if (kept || !page.demo) return kept ?? '';
  return demoToken();
}

/** A token of the demo, or empty where the server keeps it from this page. */
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

/** Whether the token in use is the demo's: a pasted one is kept, the demo's never. */
export function isDemoToken(): boolean {
  return page.demo && !sessionStorage.getItem(key);
}

export function keepToken(token: string): void {
  sessionStorage.setItem(key, token);
}

export function forgetToken(): void {
  sessionStorage.removeItem(key);
}

/** The token in what was pasted: a terminal that wraps it puts breaks into it. */
export function tokenIn(pasted: string): string {
  return pasted.trim().replace(/^Bearer\s+/i, '').replace(/\s+/g, '');
}

/** Whether a text can be a JWT at all; what else it holds may not even fit in a header. */
export function mayBeToken(text: string): boolean {
  return /^[A-Za-z0-9._-]+$/.test(text);
}

/** Whom a token is for, as it says itself; only to be shown. */
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
