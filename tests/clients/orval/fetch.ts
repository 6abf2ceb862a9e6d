const { CHATKIT_URL: baseUrl = "", CHATKIT_TOKEN: token = "" } = process.env;

/** chatkit is fetch with this server's address and token. */
export function chatkit(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return fetch(baseUrl + path, { ...init, headers });
}

/** chatkitFetch is what the generated functions call; orval gives T by status. */
export async function chatkitFetch<T>(path: string, init: RequestInit): Promise<T> {
  const response = await chatkit(path, init);
  return { data: await response.json(), status: response.status, headers: response.headers } as T;
}
