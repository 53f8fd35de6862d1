import type { ImportedHunt } from './importer.ts';

const WIDTH = 120;

/** The file of an imported hunt: the comment block that `parseHunt` reads, and the statement. */
export function huntText(id: string, hunt: ImportedHunt): string {
  const {
    title,
    severity,
    mitre = [],
    tables,
    origin,
    watch,
    falsePositives = [],
    nextSteps = [],
    references = [],
  } = hunt;
  const entries: readonly (readonly [key: string, value: string])[] = [
    ['id', id],
    ['title', title],
    ['severity', severity],
    ...(mitre.length === 0 ? [] : [['mitre', mitre.join(', ')] as const]),
    ['tables', tables.join(', ')],
    ['parameter', 'since interval = 7 days; how far back to look'],
    ['parameter', 'until interval = 0 days; how long ago to stop'],
    ...(watch === undefined ? [] : [['watch', watch] as const]),
    ...[...new Set(falsePositives)].map((text) => ['false positives', text] as const),
    ...[...new Set(nextSteps)].map((text) => ['next steps', text] as const),
    ...[...new Set(references)].map((text) => ['references', text] as const),
    ...[...new Set(origin)].map((text) => ['origin', text] as const),
  ];
  return `${entries.flatMap(([key, value]) => commentLines(key, value)).join('\n')}\n${hunt.statement.trim()}\n`;
}

function commentLines(key: string, value: string): readonly string[] {
  // What a rule says may have lines and control characters; a comment ends with its line.
  const words = value.split(/[\s\p{Cc}\u2028\u2029]+/u).filter((word) => word !== '');
  const lines: string[] = [];
  let line = `-- ${key}:`;
  for (const word of words) {
    if (line.length + 1 + word.length > WIDTH && line !== `-- ${key}:`) {
      lines.push(line);
      line = `--   ${word}`;
    } else {
      line = `${line} ${word}`;
    }
  }
  return [...lines, line];
}
