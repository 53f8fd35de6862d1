import type { HuntEvent } from '../hunts/run-hunt.ts';
import { createRowWriter } from './output/create-row-writer.ts';
import type { Output, RowWriter } from './output/row-writer.ts';
import { isTerminal, say, writeOut } from './terminal.ts';

export interface Printed {
  /** Of the last result that has columns; undefined: no statement had any. */
  readonly rows: number | undefined;
}

/** Writes results to stdout as they arrive, and says below a result what it leaves out. */
export async function printResult(
  events: AsyncIterable<HuntEvent>,
  output: Output,
  beforeWriting: () => void,
): Promise<Printed> {
  let writer: RowWriter | undefined;
  let rows: number | undefined;
  for await (const event of events) {
    beforeWriting();
    switch (event.kind) {
      case 'fields':
        writer = createRowWriter(output, { toTerminal: isTerminal.stdout() });
        rows = 0;
        await writeOut(writer.begin(event.fields));
        break;
      case 'rows':
        rows = (rows ?? 0) + event.rows.length;
        await writeOut(writer?.rows(event.rows) ?? '');
        break;
      case 'copy':
        await writeOut(event.chunk.toString());
        break;
      case 'complete':
        if (writer !== undefined) await writeOut(writer.end());
        else if (output === 'table' || output === 'line') await writeOut(`${event.tag}\n`);
        writer = undefined;
        break;
      case 'known':
        if (event.rows > 0)
          say(`${event.rows} more ${event.rows === 1 ? 'row is' : 'rows are'} taken for granted by hunts.known.`);
        break;
    }
  }
  return { rows };
}
