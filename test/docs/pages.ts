import { files, read } from '../house/repository.ts';

export interface TablePage {
  readonly path: string;
  readonly table: string;
  /** As the page's table gives them: name and type. */
  readonly columns: readonly (readonly [name: string, type: string])[];
  readonly examples: readonly Example[];
}

export interface Example {
  readonly title: string;
  readonly sql: string;
}

/** `docs/tables/<table>.md`: the column table under "Columns", and every SQL block under a heading of its own. */
export function tablePages(): readonly TablePage[] {
  return files()
    .filter((path) => /^docs\/tables\/\w+\.md$/.test(path))
    .map((path) => {
      const text = read(path);
      return {
        path,
        table: path.replace(/^.*\/|\.md$/g, ''),
        columns: [...text.matchAll(/^\| `(\w+)` \| ([^|]+?) \|/gm)].map(
          ([, name = '', type = '']) => [name, type] as const,
        ),
        examples: [...text.matchAll(/^### (.+)\n\n```sql\n([\s\S]*?)\n```/gm)].map(([, title = '', sql = '']) => ({
          title,
          sql,
        })),
      };
    });
}
