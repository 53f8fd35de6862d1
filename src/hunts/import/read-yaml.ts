import { LineCounter, Scalar, YAMLMap, isAlias, parseAllDocuments, visit, type Document, type Node } from 'yaml';
import { UnreadableRule } from './unreadable-rule.ts';

export interface RuleDocument {
  readonly value: unknown;
  /** 1-based, where it begins. */
  readonly line: number;
}

export interface YamlOptions {
  /** `yes`, `no`, `on` and `off` without quotes become an object with `OLD_BOOLEAN_KEY`. */
  readonly showOldBooleans?: boolean;
}

export const OLD_BOOLEAN_KEY = '!yaml-1.1-bool';
const OLD_BOOLEAN = /^(?:yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF)$/;

/** A plan of Terraform has some dozens of levels. */
const MAX_DEPTH = 500;
const TOO_DEEP = 'it is nested too deeply';

/**
 * The documents of a file in YAML or JSON, as plain values. A value with a tag of its own (`!Sub x`) is an object with
 * the tag as its only key.
 *
 * @throws UnreadableRule with the line.
 */
export function readYaml(text: string, options: YamlOptions = {}): readonly RuleDocument[] {
  try {
    return documentsOf(text, options);
  } catch (error) {
    // The parser goes as deep as the stack is.
    if (error instanceof RangeError) throw new UnreadableRule(undefined, TOO_DEEP);
    throw error;
  }
}

function documentsOf(text: string, options: YamlOptions): readonly RuleDocument[] {
  const lines = new LineCounter();
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new UnreadableRule(lineOf(problem.pos[0]), reasonOf(problem));
    showTags(document);
    if (options.showOldBooleans === true) showOldBooleans(document);
    refuseLostDigits(document, (node) => lineOf(node.range?.[0] ?? 0));
    return { value: plainValue(document), line: lineOf(document.range[0]) };
  });
}

function plainValue(document: Document.Parsed): unknown {
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Aliases of aliases that would grow without end are an error of JavaScript's own, too.
    throw new UnreadableRule(undefined, reasonOf(error));
  }
  refuseDepth(value, 0);
  return value;
}

/** So that whatever reads the value may call itself; an alias of what is around it never ends. */
function refuseDepth(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= MAX_DEPTH) throw new UnreadableRule(undefined, TOO_DEEP);
  for (const inner of Object.values(value)) refuseDepth(inner, depth + 1);
}

function showTags(document: Document.Parsed): void {
  visit(document, {
    Node(key, node) {
      if (key === 'key' || isAlias(node) || node.tag?.startsWith('!') !== true || node.tag === '!') return undefined;
      const shown = new YAMLMap<string, Node>();
      shown.set(node.tag, node);
      delete node.tag;
      return shown;
    },
  });
}

/** YAML 1.1, which CloudFormation reads, has more words for true and false than what we read. */
function showOldBooleans(document: Document.Parsed): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || node.type !== 'PLAIN' || !OLD_BOOLEAN.test(node.source ?? '')) return undefined;
      const shown = new YAMLMap<string, Node>();
      shown.set(OLD_BOOLEAN_KEY, node);
      // What is shown is visited again.
      node.type = Scalar.QUOTE_DOUBLE;
      return shown;
    },
  });
}

/** `012345678901` is a number in YAML, and an account elsewhere. */
function refuseLostDigits(document: Document.Parsed, lineOf: (node: Node) => number): void {
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'number' || node.source === undefined) return;
      const isSame =
        digitsOf(node.source) === digitsOf(String(node.value)) || !/^[-+.\d]+(?:e[-+]?\d+)?$/i.test(node.source);
      if (isSame && !/^[-+]?0\d/.test(node.source)) return;
      throw new UnreadableRule(lineOf(node), `${node.source} would lose digits as a number: write it in quotes`);
    },
  });
}

/** Those that count. */
function digitsOf(number: string): string {
  return number
    .replace(/e.*$/i, '')
    .replaceAll(/\D/g, '')
    .replaceAll(/^0+|0+$/g, '');
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError || (error instanceof Error && /call stack/i.test(error.message))) return TOO_DEEP;
  return lowerFirst(error instanceof Error ? error.message : String(error));
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
