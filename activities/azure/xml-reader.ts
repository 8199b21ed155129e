/** The text is no whole XML of the plain kind that Blob Storage writes. */
export class XmlError extends Error {}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const ATTRIBUTES = /^(?:\s+[^\s<>&'"=/]+="[^<"]*")*\s*$/;
const OPEN = '<'.charCodeAt(0);
const CLOSE = '>'.charCodeAt(0);
const SLASH = '/'.charCodeAt(0);
const BANG = '!'.charCodeAt(0);
const QUESTION = '?'.charCodeAt(0);
const SPACE = ' '.charCodeAt(0);

/**
 * Reads elements one after another, without a tree, from text that is held whole: elements, attributes in double quotes,
 * references to characters and white space. Whatever else XML has (a comment, a section, a declaration of entities) is
 * an error, as is an element that does not end, or ends with another one's name.
 */
export class XmlReader {
  readonly #text: string;
  #at = 0;
  #attributes = '';
  #empty = false;

  /** @param text with or without a byte order mark and the line that declares it to be XML. */
  constructor(text: string) {
    this.#text = text;
    const start = /^\uFEFF?(?:<\?xml[^<>]*\?>)?/.exec(text);
    this.#at = start?.[0].length ?? 0;
  }

  /** Where the next character is. */
  get at(): number {
    return this.#at;
  }

  /** Of the element that `child` came to, as they are written. */
  get attributes(): string {
    return this.#attributes;
  }

  /**
   * Comes to the next child of the element that was come to last and is called so, and has to be read or skipped before the
   * one after it. @returns its name, or undefined where there is none, past the end of the parent.
   */
  child(parent: string): string | undefined {
    // An empty element has no end of its own to pass.
    if (this.#empty) {
      this.#empty = false;
      return undefined;
    }
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at + 1) !== SLASH) return this.#open();
    this.#end(parent);
    return undefined;
  }

  /** Comes to the outermost element. @throws XmlError where it is called otherwise. */
  root(name: string): void {
    this.#skipSpace();
    const found = this.#open();
    if (found !== name) throw this.error(`<${found}> is no <${name}>`);
  }

  /** @throws XmlError where anything but white space follows. */
  finish(): void {
    if (/\S/.test(this.#text.slice(this.#at))) throw this.error('more follows the end');
  }

  /** The text of the element that was come to. @throws XmlError where it has elements. */
  value(name: string): string {
    if (this.#empty) {
      this.#empty = false;
      return '';
    }
    const end = this.#text.indexOf('<', this.#at);
    if (end < 0) throw this.error(`<${name}> does not end`);
    const value = this.#text.slice(this.#at, end);
    this.#at = end;
    this.#end(name);
    return value.includes('&') || value.includes('\r') ? this.#decoded(value) : value;
  }

  /** Passes the element that was come to, with all that is in it. */
  skip(name: string): void {
    const open = [name];
    for (let parent = open.at(-1); parent !== undefined; parent = open.at(-1)) {
      if (!this.#empty) {
        const next = this.#text.indexOf('<', this.#at);
        if (next < 0) throw this.error(`<${parent}> does not end`);
        this.#at = next;
      }
      const child = this.child(parent);
      if (child === undefined) open.pop();
      else open.push(child);
    }
  }

  error(message: string): XmlError {
    return new XmlError(`${message}, at ${this.#at} of ${this.#text.length}`);
  }

  #skipSpace(): void {
    // One test suffices mostly: nobody prints such a page prettily.
    while (this.#text.charCodeAt(this.#at) <= SPACE) this.#at++;
  }

  #open(): string {
    const text = this.#text;
    const start = this.#at + 1;
    const end = text.indexOf('>', start);
    if (text.charCodeAt(start - 1) !== OPEN || end < 0) throw this.error('an element was expected');
    const first = text.charCodeAt(start);
    this.#empty = text.charCodeAt(end - 1) === SLASH;
    const last = this.#empty ? end - 1 : end;
    let nameEnd = start;
    for (let code = first; nameEnd < last && code > SPACE; code = text.charCodeAt(nameEnd)) {
      if (code === OPEN) throw this.error('a tag does not end');
      nameEnd++;
    }
    if (nameEnd === start || first === BANG || first === QUESTION) throw this.error('an element was expected');
    this.#attributes = nameEnd === last ? '' : text.slice(nameEnd, last);
    if (this.#attributes !== '' && !ATTRIBUTES.test(this.#attributes)) throw this.error('its attributes are none');
    this.#at = end + 1;
    return text.slice(start, nameEnd);
  }

  #end(name: string): void {
    const after = this.#at + 2 + name.length;
    if (!this.#text.startsWith('</', this.#at) || !this.#text.startsWith(name, this.#at + 2)) {
      throw this.error(`the end of <${name}> was expected`);
    }
    if (this.#text.charCodeAt(after) !== CLOSE) throw this.error(`<${name}> ends otherwise`);
    this.#at = after + 1;
  }

  #decoded(value: string): string {
    // A line ends alike however it is written, but not where it is written as a reference.
    return value
      .replace(/\r\n?/g, '\n')
      .replace(/&(?:#x([\da-fA-F]+);|#(\d+);|(\w+);)?/g, (_all, hex, decimal, name) => {
        const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
        const isScalar = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
        const found = name === undefined ? (isScalar ? String.fromCodePoint(code) : undefined) : ENTITIES[name];
        if (found === undefined) throw this.error('a reference is to no character');
        return found;
      });
  }
}
