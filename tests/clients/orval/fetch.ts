const { CHATKIT_URL: baseUrl = "", CHATKIT_TOKEN: token = "" } = process.env;

/** chatkit calls fetch with the server's URL and the token. */
export function chatkit(path: string, init: RequestInit): Promise<Response> {
  const headers = new Headers(init.headers);
  headers.set("Authorization", `Bearer ${token}`);
  return fetch(baseUrl + path, { ...init, headers });
}

/** chatkitFetch is called by the generated functions; T is the union of the responses by status. */
export async function chatkitFetch<T>(path: string, init: RequestInit): Promise<T> {
  const response = await chatkit(path, init);
  return { data: await response.json(), status: response.status, headers: response.headers } as T;
}
