import { isAscii } from 'node:buffer';
import { COMMA, NEWLINE, SPACE } from './json-bytes.ts';
import type { LineWriter } from './line-writer.ts';
import { RecordSplitter } from './record-splitter.ts';
import type { Passed, Split } from './split.ts';

/**
 * As RecordSplitter, but writes the rows of most records while it looks for their ends: of those that follow another one directly,
 * by a comma or in the next line, lie within a chunk as a whole, and are such as LineWriter takes.
 */
export class ExtractingSplitter {
  readonly #splitter = new RecordSplitter();
  readonly #lines: LineWriter;

  constructor(lines: LineWriter) {
    this.#lines = lines;
  }

  get line(): number {
    return this.#splitter.line;
  }

  push(chunk: Buffer): readonly (Split | Passed)[] {
    const splitter = this.#splitter;
    const found: (Split | Passed)[] = [];
    const isText = isAscii(chunk);
    let written = 0;
    let at = 0;
    while (at < chunk.length) {
      const end = this.#write(chunk, at, isText);
      if (end >= 0) {
        written += 1;
        at = end;
        continue;
      }
      if (written > 0) found.push({ kind: 'passed', records: written });
      written = 0;
      at = splitter.pushRecord(chunk, at);
      found.push(...splitter.take());
    }
    if (written > 0) found.push({ kind: 'passed', records: written });
    return found;
  }

  end(): readonly Split[] {
    return this.#splitter.end();
  }

  #write(chunk: Buffer, at: number, isText: boolean): number {
    const { separator } = this.#splitter;
    if (separator === undefined || chunk[at] !== separator) return -1;
    switch (separator) {
      case COMMA:
        return this.#lines.write(chunk, chunk[at + 1] === SPACE ? at + 2 : at + 1, this.line, isText);
      case NEWLINE: {
        const end = this.#lines.write(chunk, at + 1, this.line + 1, isText);
        if (end >= 0) this.#splitter.pass(1);
        return end;
      }
    }
  }
}
