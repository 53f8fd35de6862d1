import { LineCounter, YAMLMap, isAlias, parseAllDocuments, visit, type Document, type Node } from 'yaml';
import { UnreadableRule } from './unreadable-rule.ts';

export interface RuleDocument {
  readonly value: unknown;
  /** 1-based, where it begins. */
  readonly line: number;
}

/**
 * The documents of a file in YAML or JSON, as plain values. A value with a tag of its own (`!Sub x`) is an object with
 * the tag as its only key.
 *
 * @throws UnreadableRule with the line.
 */
export function readYaml(text: string): readonly RuleDocument[] {
  const lines = new LineCounter();
  const lineOf = (offset: number) => Math.max(1, lines.linePos(offset).line);
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'silent' });
  if (!Array.isArray(documents)) return [];
  return documents.map((document) => {
    const [problem] = document.errors;
    if (problem !== undefined) throw new UnreadableRule(lineOf(problem.pos[0]), lowerFirst(problem.message));
    showTags(document);
    refuseLostDigits(document, (node) => lineOf(node.range?.[0] ?? 0));
    return { value: plainValue(document), line: lineOf(document.range[0]) };
  });
}

function plainValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    // Aliases of aliases that would grow without end are an error of JavaScript's own, too.
    throw new UnreadableRule(undefined, lowerFirst(error instanceof Error ? error.message : String(error)));
  }
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

/** `012345678901` is a number in YAML, and an account elsewhere. */
function refuseLostDigits(document: Document.Parsed, lineOf: (node: Node) => number): void {
  visit(document, {
    Scalar(_, node) {
      if (typeof node.value !== 'number' || node.source === undefined) return;
      if (!/^[-+]?0\d/.test(node.source) && (!Number.isInteger(node.value) || Number.isSafeInteger(node.value))) return;
      throw new UnreadableRule(lineOf(node), `${node.source} would lose digits as a number: write it in quotes`);
    },
  });
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1).replace(/\.$/, '');
}
