import { files, read } from '../house/repository.ts';
import type { DeclaredColumn } from './declared-tables.ts';

export interface TablePage {
  readonly path: string;
  readonly table: string;
  /** The lines of the table under "Columns", without its head. */
  readonly columns: readonly string[];
  readonly examples: readonly Example[];
}

export interface Example {
  readonly title: string;
  readonly sql: string;
}

/** `docs/tables/<table>.md`: the column table, and every SQL block under a heading of its own. */
export function tablePages(): readonly TablePage[] {
  return files()
    .filter((path) => /^docs\/tables\/\w+\.md$/.test(path))
    .map((path) => {
      const text = read(path);
      return {
        path,
        table: path.replaceAll(/^.*\/|\.md$/g, ''),
        columns: [...text.matchAll(/^\| `\w+` \|.*$/gm)].map(([line]) => line),
        examples: [...text.matchAll(/^### (.+)\n\n```sql\n([\s\S]*?)\n```/gm)].map(([, title = '', sql = '']) => ({
          title,
          sql,
        })),
      };
    });
}

/** A column's line in its page: name, type, what can be asked for by it, comment. */
export function columnLine({ name, type, options, comment }: DeclaredColumn): string {
  const operators = (options.operators ?? '').split(',').filter((operator) => operator !== '');
  const asked = operators.map((operator) => `\`${operator}\``).join(' ');
  const kinds: Readonly<Record<string, string>> = {
    required: `**required** ${asked}`,
    optional: asked,
    input: `input ${asked}` + (options.default === undefined ? '' : `, else ${options.default}`),
  };
  return `| \`${name}\` | ${type} | ${kinds[options.key ?? ''] ?? asked} | ${comment} |`.replaceAll('|  |', '| |');
}
