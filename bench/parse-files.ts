import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** What decompressing and JSON.parse alone take: a process that reads all files of the folder that it is sent. */
export interface ParsedFiles {
  readonly records: number;
}

async function parseAll(folder: string): Promise<ParsedFiles> {
  let records = 0;
  for (const name of await readdir(folder)) {
    const text = gunzipSync(await readFile(join(folder, name))).toString('utf8');
    records += (JSON.parse(text) as { readonly Records: readonly unknown[] }).Records.length;
  }
  return { records };
}

process.on('message', (folder: string) => {
  void parseAll(folder).then((result) => process.send?.(result));
});
