import type { Client } from '../../../src/engine/client.ts';
import { failure, type Road } from './road.ts';

/**
 * What ends a statement at `statement_timeout` once so many calls of it are under way. How long it takes to get there is the
 * machine's business: where the time was too short for it, the statement gets twice as long.
 */
export async function timeOut(
  { simulator }: Road,
  client: Client,
  text: string,
  calls: number,
): Promise<Awaited<ReturnType<typeof failure>>> {
  for (let milliseconds = 500; ; milliseconds *= 2) {
    simulator.calls.reset();
    await client.query(`set statement_timeout = ${String(milliseconds)}`);
    const error = await failure(client.query(text));
    await client.query('reset statement_timeout');
    if (simulator.calls.count() === calls) return error;
    await simulator.calls.until((log) => log.count({ state: 'open' }) === 0);
  }
}
