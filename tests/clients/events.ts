/** readEvents yields the events of a stream as they arrive. The streams of the ChatKit protocol have no final [DONE]. */
export async function* readEvents<Event>(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  { endsWithDone = true } = {},
): AsyncGenerator<Event> {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      const lines = (rest + chunk.value).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "data: [DONE]") return;
        if (line.startsWith("data: ")) yield JSON.parse(line.slice("data: ".length));
      }
    }
  } finally {
    await reader.cancel();
  }
  if (endsWithDone) throw new Error("The stream ended before [DONE].");
}
