import { readFileSync } from 'node:fs';
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument, visit, type Document, type Scalar } from 'yaml';
import { TrailhoundError } from '../../kernel/errors.ts';

export type KeyPath = readonly (string | number)[];

/** A YAML file as a plain value that still knows where each key stands. */
export interface ConfigurationFile {
  readonly path: string;
  readonly value: unknown;
  /** `trailhound.yaml:3:5`: the key's place, or that of the nearest key above it. */
  locate(path: KeyPath): string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and parses, and replaces `${VAR}` in texts by the environment's values (`$${` stands for `${` itself). That
 * happens after parsing, so no value of a variable can change the structure of the file.
 */
export function readConfigurationFile(path: string, environment: Environment): ConfigurationFile {
  const lines = new LineCounter();
  const document = parseDocument(read(path), { lineCounter: lines, prettyErrors: false });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    throw new TrailhoundError('configuration', `${place(problem.pos[0])}: ${lowerFirst(problem.message)}`, {
      detail: 'The file is no valid YAML.',
    });
  }
  interpolate(document, environment, (node) => place(node.range?.[0] ?? 0));
  return {
    path,
    value: document.toJS() ?? {},
    locate: (keys) => place(offsetOf(document, keys)),
  };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason =
      error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'there is no such file' : String(error);
    throw new TrailhoundError('configuration', `${path}: ${reason}`, {
      hint: 'Name another file by --config or TRAILHOUND_CONFIG.',
      cause: error,
    });
  }
}

function interpolate(document: Document, environment: Environment, place: (node: Scalar) => string): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string') return;
      node.value = node.value.replace(/\$(\$\{)|\$\{([^}]*)\}?/g, (whole, escaped: string | undefined, name = '') => {
        if (escaped !== undefined) return escaped;
        if (!/^\$\{[A-Za-z_]\w*\}$/.test(whole)) {
          throw new TrailhoundError('configuration', `${place(node)}: "${whole}" names no environment variable`, {
            hint: 'Write ${NAME}, or $${ for the characters ${ themselves.',
          });
        }
        const value = environment[String(name)];
        if (value !== undefined) return value;
        throw new TrailhoundError('configuration', `${place(node)}: environment variable ${name} is not set`, {
          hint: `Set ${name}, or write the value in its place.`,
        });
      });
    },
  });
}

function offsetOf(document: Document, keys: KeyPath): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const key of keys) {
    let place: unknown;
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      place = pair?.key;
      node = pair?.value;
    } else if (isSeq(node)) {
      place = node.items[Number(key)];
      node = place;
    }
    if (!isNode(place)) break;
    offset = place.range?.[0] ?? offset;
  }
  return offset;
}

function lowerFirst(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
