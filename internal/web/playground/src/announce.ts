// Announcements for screen readers. A streamed answer is announced sentence by
// sentence: single words are hard to follow, and the whole answer comes too late.
let region: HTMLElement | null = null;

const mostLines = 20;

/** Sets the live region that announcements are added to. */
export function setRegion(element: HTMLElement | null): void {
  region = element;
}

/** Announces a line after those that are being read. */
export function announce(line: string): void {
  if (!region || !line.trim()) return;
  const paragraph = document.createElement('p');
  paragraph.textContent = line;
  region.append(paragraph);
  while (region.childElementCount > mostLines) region.firstElementChild?.remove();
}

/** Joins the deltas of an answer and announces each complete sentence. */
export class Sentences {
  #rest = '';

  push(delta: string): void {
    this.#rest += delta;
    const end = /^[\s\S]*(?:[.!?…]["')\]]*\s|\n)/.exec(this.#rest);
    if (!end) return;
    announce(end[0].trim());
    this.#rest = this.#rest.slice(end[0].length);
  }

  flush(): void {
    announce(this.#rest.trim());
    this.#rest = '';
  }
}
