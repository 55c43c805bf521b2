/**
 * A long text in the making. Pieces go to a buffer outside the heap before the garbage collector has to carry them about:
 * a scrape of thousands of clients is tens of MB, and collecting it would take longer than writing it.
 */
const FLUSH_LENGTH = 16 * 1024;

export class TextBuffer {
  #text = '';
  #chunks: Buffer[] = [];

  get isEmpty(): boolean {
    return this.#text === '' && this.#chunks.length === 0;
  }

  append(text: string): void {
    this.#text += text;
    if (this.#text.length > FLUSH_LENGTH) this.#flush();
  }

  /** Gives the chunks, and is empty then. */
  take(): Buffer[] {
    this.#flush();
    const chunks = this.#chunks;
    this.#chunks = [];
    return chunks;
  }

  #flush(): void {
    if (this.#text !== '') this.#chunks.push(Buffer.from(this.#text));
    this.#text = '';
  }
}
