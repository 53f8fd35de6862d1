/** What a file of rules cannot be read for. The importer catches it and refuses the file, or the rule. */
export class UnreadableRule extends Error {
  /** 1-based; undefined where the whole file is meant. */
  readonly line: number | undefined;

  constructor(line: number | undefined, reason: string) {
    super(reason);
    this.name = 'UnreadableRule';
    this.line = line;
  }
}

export function placeOf(path: string, line: number | undefined): string {
  return line === undefined ? path : `${path}:${line}`;
}
