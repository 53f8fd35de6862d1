import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { perform, type Writing } from './support/perform.ts';
import { conversations, ofSide, readItems, type Item } from './support/script.ts';
import { openWorld, type World } from './support/world.ts';

/** Each `*.txt` is what PostgreSQL itself answers; `vitest -u` writes it down anew. We must answer the same. */
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

let world: World;
beforeAll(async () => {
  world = await openWorld();
});
afterAll(() => world.close());

describe.each(files)('%s', (name) => {
  const path = `${FOLDER}${name}`;
  const items = readItems(readFileSync(path, 'utf8'));

  test('is what PostgreSQL answers', async () => {
    const lines = items
      .slice(
        0,
        Math.max(
          0,
          items.findIndex(({ kind }) => kind === 'title'),
        ),
      )
      .map(({ line }) => line);
    for (const { items: own } of conversations(items)) lines.push(...(await recorded(own)));
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(path);
  });

  describe.each<Writing>(['at once', 'byte by byte'])('sent %s', (writing) => {
    test.each(conversations(items).map(({ title, items: own }) => [title, own] as const))('%s', async (_title, own) => {
      const expected = ofSide(own, 'through').map(({ line }) => line);
      expect(await perform(world, own, 'through', writing)).toEqual(expected);
    });
  });
});

/** What is only ours stays where it is. */
async function recorded(items: readonly Item[]): Promise<string[]> {
  const heard = await perform(world, items, 'directly', 'at once');
  const lines: string[] = [];
  for (const item of items) {
    if ('side' in item && item.side === 'through') lines.push(item.line);
    else if (item.kind === 'receive' && item.words.startsWith('...')) {
      const prefix = item.line.slice(0, item.line.indexOf(' ') + 1);
      const next = heard.findIndex((line) => !line.startsWith(prefix));
      lines.push(...heard.splice(0, next === -1 ? heard.length : next));
    } else lines.push(heard.shift() ?? '');
  }
  return lines;
}
