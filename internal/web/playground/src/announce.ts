// What a screen reader is told. A streamed answer is told by sentences: by
// words nobody could follow it, and by the whole it would come too late.
let region: HTMLElement | null = null;

const mostLines = 20;

/** Gives the live region its element. */
export function setRegion(element: HTMLElement | null): void {
  region = element;
}

/** Says a line as soon as the reader is free. */
export function announce(line: string): void {
  if (!region || !line.trim()) return;
  const paragraph = document.createElement('p');
  paragraph.textContent = line;
  region.append(paragraph);
  while (region.childElementCount > mostLines) region.firstElementChild?.remove();
}

/** Collects the pieces of an answer and announces its sentences. */
export class Sentences {
  #rest = '';

  push(piece: string): void {
    this.#rest += piece;
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
